// Package clock supplies time and random identifiers, replaceable in tests.
package clock

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"time"
)

// Clock tells the time. The zero value is not usable; take System or a test's own.
type Clock interface{ Now() time.Time }

// System is the machine's clock, in UTC.
var System Clock = system{}

type system struct{}

func (system) Now() time.Time { return time.Now().UTC() }

// Fixed is a clock that stands still, for tests.
type Fixed time.Time

// Now is the fixed moment.
func (f Fixed) Now() time.Time { return time.Time(f) }

// RandomHex gives 2n hexadecimal digits from the system's secure source.
func RandomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails since Go 1.24: it aborts the program instead
	return hex.EncodeToString(b)
}

// RandomURLSafe gives n characters of the URL-safe base64 alphabet, 6 bits of
// randomness each.
func RandomURLSafe(n int) string {
	b := make([]byte, (n*3+3)/4)
	_, _ = rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)[:n]
}
