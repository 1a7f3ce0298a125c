// Package vault seals texts with AES-256-GCM: credentials at rest, and cursors
// that callers carry. The key of the credentials comes from the configuration
// or from a file that is made at the first start.
package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
)

// KeySize is the length of a key in bytes.
const KeySize = 32

// ErrSealed says that a text was not sealed with this key for this place, or
// was changed.
var ErrSealed = errors.New("not sealed with this key for this place")

// Vault seals and opens. Safe for concurrent use.
type Vault struct{ aead cipher.AEAD }

// New makes a Vault of a key of KeySize bytes.
func New(key []byte) (*Vault, error) {
	if len(key) != KeySize {
		return nil, errKey
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	return &Vault{aead}, err
}

// NewKey draws a key.
func NewKey() []byte {
	key := make([]byte, KeySize)
	_, _ = rand.Read(key) // never fails since Go 1.24: it aborts the program instead
	return key
}

// Seal hides a text. place says what it is of, such as the row that keeps it:
// nowhere else can it be opened. The result is URL-safe base64.
func (v *Vault) Seal(plain []byte, place string) string {
	nonce := make([]byte, v.aead.NonceSize(), v.aead.NonceSize()+len(plain)+v.aead.Overhead())
	_, _ = rand.Read(nonce) // never fails
	return base64.RawURLEncoding.EncodeToString(v.aead.Seal(nonce, nonce, plain, []byte(place)))
}

// Open gives the text that was sealed for a place, or ErrSealed.
func (v *Vault) Open(sealed, place string) ([]byte, error) {
	text, err := base64.RawURLEncoding.DecodeString(sealed)
	n := v.aead.NonceSize()
	if err != nil || len(text) < n {
		return nil, ErrSealed
	}
	plain, err := v.aead.Open(nil, text[:n], text[n:], []byte(place))
	if err != nil {
		return nil, ErrSealed
	}
	return plain, nil
}

// errKey repeats nothing of what it is about.
var errKey = errors.New("an encryption key is 32 bytes as base64 or 64 hexadecimal digits; `openssl rand -base64 32` makes one")

// ParseKey reads a key as 64 hexadecimal digits or as base64, with or without padding.
func ParseKey(text string) ([]byte, error) {
	if len(text) == hex.EncodedLen(KeySize) {
		if key, err := hex.DecodeString(text); err == nil {
			return key, nil
		}
	}
	for _, alphabet := range []*base64.Encoding{
		base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding,
	} {
		if key, err := alphabet.DecodeString(text); err == nil && len(key) == KeySize {
			return key, nil
		}
	}
	return nil, errKey
}
