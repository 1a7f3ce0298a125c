package identity

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"strconv"
	"strings"

	"gatehouse/internal/clock"
	"gatehouse/internal/fault"
)

// What Odoo hashes API keys with. Few rounds will do: a key is random.
const (
	userKeyRounds = 6000 // about 4 ms
	userKeySalt   = 16   // bytes
)

// StoredUserKey is what the table has of a user's key.
type StoredUserKey struct{ Index, Hash string }

// NewUserKey draws an API key of a user, and gives what is stored of it: the
// digits that its row is found by, and its hash as passlib writes it.
func NewUserKey() (key string, stored StoredUserKey, err error) {
	key = clock.RandomHex(userKeyLength / 2)
	hash, err := hashUserKey(key)
	return key, StoredUserKey{Index: key[:userKeyIndex], Hash: hash}, err
}

func hashUserKey(key string) (string, error) {
	salt := make([]byte, userKeySalt)
	_, _ = rand.Read(salt) // never fails since Go 1.24: it aborts the program instead
	sum, err := pbkdf2.Key(sha512.New, key, salt, userKeyRounds, sha512.Size)
	if err != nil {
		return "", fault.Wrap(err, "hash an API key")
	}
	return "$pbkdf2-sha512$" + strconv.Itoa(userKeyRounds) + "$" + passlib64(salt) + "$" + passlib64(sum), nil
}

// passlib64 is passlib's base64: no padding, and '.' for '+'.
func passlib64(b []byte) string {
	return strings.ReplaceAll(base64.RawStdEncoding.EncodeToString(b), "+", ".")
}

// newKeyHashes is where keys of users are checked: apart from the logins, whose
// hashes take five times as long and more, so that no key waits behind them.
func newKeyHashes() *Passwords {
	p := NewPasswords(0)
	p.Expect("$pbkdf2-sha512$" + strconv.Itoa(userKeyRounds) + "$" + passlib64(make([]byte, userKeySalt)) +
		"$" + passlib64(make([]byte, sha512.Size)))
	return p
}
