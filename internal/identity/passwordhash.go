package identity

import (
	"crypto/pbkdf2"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// passwordHash is a stored hash, read. Two forms exist: argon2id as the PHC
// string format writes it, made here, and passlib's pbkdf2_sha512, which is
// what Odoo stores. rounds is argon2's t or PBKDF2's iterations; memory (KiB)
// and threads are 0 for PBKDF2.
type passwordHash struct {
	rounds, memory uint32
	threads        uint8
	salt, sum      []byte
}

// What new hashes are made with: the second choice of OWASP's password storage
// cheat sheet, 19 MiB and about 20 ms.
const (
	newMemory  = 19456 // KiB
	newRounds  = 2
	newThreads = 1
	newSalt    = 16 // bytes
	newSum     = 32 // bytes
)

// What a stored hash may ask for, so that nobody who can write one can stop
// the process with it.
const (
	maxArgonMemory  = 256 << 10 // KiB
	maxArgonRounds  = 64
	maxArgonThreads = 64
	maxPBKDF2Rounds = 10_000_000 // Odoo 19: 600,000
	maxHashPart     = 1024       // bytes of salt or sum
)

var errHashFormat = errors.New("not a password hash of a known form")

// parsePasswordHash reads a stored hash. Anything it does not know, plain
// text included, is an error.
func parsePasswordHash(stored string) (*passwordHash, error) {
	parts := strings.Split(stored, "$")
	switch {
	case len(stored) > 8*maxHashPart:
	case len(parts) == 6 && parts[0] == "" && parts[1] == "argon2id":
		return parseArgon(parts[2], parts[3], parts[4], parts[5])
	case len(parts) == 5 && parts[0] == "" && parts[1] == "pbkdf2-sha512":
		return parsePBKDF2(parts[2], parts[3], parts[4])
	}
	return nil, errHashFormat
}

// parseArgon reads $argon2id$v=19$m=19456,t=2,p=1$salt$sum (base64 without padding).
func parseArgon(version, params, salt, sum string) (*passwordHash, error) {
	if version != "v="+strconv.Itoa(argon2.Version) {
		return nil, errHashFormat
	}
	fields := strings.Split(params, ",")
	if len(fields) != 3 {
		return nil, errHashFormat
	}
	var numbers [3]uint32
	for i, bound := range []struct {
		prefix string
		most   uint32
	}{{"m=", maxArgonMemory}, {"t=", maxArgonRounds}, {"p=", maxArgonThreads}} {
		digits, ok := strings.CutPrefix(fields[i], bound.prefix)
		if !ok {
			return nil, errHashFormat
		}
		n, err := parseCount(digits, bound.most)
		if err != nil {
			return nil, err
		}
		numbers[i] = n
	}
	h := &passwordHash{memory: numbers[0], rounds: numbers[1], threads: uint8(numbers[2])}
	if h.memory < 8*uint32(h.threads) { // RFC 9106 section 3.1
		return nil, errHashFormat
	}
	return h, h.decode(salt, sum, 8, 16)
}

// parsePBKDF2 reads $pbkdf2-sha512$rounds$salt$sum, with passlib's base64:
// no padding, and '.' for '+'.
func parsePBKDF2(rounds, salt, sum string) (*passwordHash, error) {
	n, err := parseCount(rounds, maxPBKDF2Rounds)
	if err != nil {
		return nil, err
	}
	h := &passwordHash{rounds: n}
	plain := strings.NewReplacer(".", "+")
	return h, h.decode(plain.Replace(salt), plain.Replace(sum), 1, sha512.Size)
}

func parseCount(digits string, most uint32) (uint32, error) {
	n, err := strconv.ParseUint(digits, 10, 32)
	if err != nil || n < 1 || n > uint64(most) {
		return 0, errHashFormat
	}
	return uint32(n), nil
}

func (h *passwordHash) decode(salt, sum string, leastSalt, leastSum int) error {
	var err1, err2 error
	h.salt, err1 = base64.RawStdEncoding.DecodeString(salt)
	h.sum, err2 = base64.RawStdEncoding.DecodeString(sum)
	if err1 != nil || err2 != nil ||
		len(h.salt) < leastSalt || len(h.salt) > maxHashPart ||
		len(h.sum) < leastSum || len(h.sum) > maxHashPart {
		return errHashFormat
	}
	return nil
}

// derive computes the sum of a password with the parameters of h. It takes 20
// ms for new hashes and 0.4 s for Odoo's.
func (h *passwordHash) derive(password string) ([]byte, error) {
	if h.memory > 0 {
		return argon2.IDKey([]byte(password), h.salt, h.rounds, h.memory, h.threads, uint32(len(h.sum))), nil
	}
	return pbkdf2.Key(sha512.New, password, h.salt, int(h.rounds), len(h.sum))
}

// matches says whether a password is the one, in a time that does not depend
// on how much of it is right.
func (h *passwordHash) matches(password string) (bool, error) {
	sum, err := h.derive(password)
	if err != nil {
		return false, fmt.Errorf("derive a password hash: %w", err)
	}
	return subtle.ConstantTimeCompare(sum, h.sum) == 1, nil
}

// String writes an argon2id hash in the PHC string format.
func (h *passwordHash) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, h.rounds, h.threads,
		base64.RawStdEncoding.EncodeToString(h.salt), base64.RawStdEncoding.EncodeToString(h.sum))
}
