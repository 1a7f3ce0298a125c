// Package clock supplies time and random identifiers, replaceable in tests.
package clock

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"sync"
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

// Moving is a clock that a test moves. Safe for concurrent use.
type Moving struct {
	mu sync.Mutex
	at time.Time
}

// NewMoving makes one that shows a moment.
func NewMoving(at time.Time) *Moving { return &Moving{at: at} }

// Now is the moment that it shows.
func (m *Moving) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.at
}

// Pass moves it on.
func (m *Moving) Pass(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at = m.at.Add(d)
}

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
