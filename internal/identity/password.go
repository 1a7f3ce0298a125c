package identity

import (
	"context"
	"crypto/rand"
	"runtime"
	"sync/atomic"
	"time"

	"gatehouse/internal/fault"
)

// MaxPassword is the longest password that is looked at, in bytes.
const MaxPassword = 1024

// Passwords makes and checks password hashes. It works on few at a time, and
// the others wait, so that many logins cannot take the processors away from
// the requests. Safe for concurrent use.
type Passwords struct {
	slots   chan struct{}
	waiting atomic.Int64
	usual   atomic.Pointer[passwordHash] // the kind of hash that users here have
}

// maxWaiting is how many may wait for a slot; more would time out anyway.
const maxWaiting = 100

// NewPasswords bounds the work to a number of workers; 0 takes half the
// processors, at least one.
func NewPasswords(workers int) *Passwords {
	if workers <= 0 {
		workers = max(1, runtime.GOMAXPROCS(0)/2)
	}
	p := &Passwords{slots: make(chan struct{}, workers)}
	p.usual.Store(&passwordHash{
		memory: newMemory, rounds: newRounds, threads: newThreads,
		salt: make([]byte, newSalt), sum: make([]byte, newSum),
	})
	return p
}

// Hash makes an argon2id hash of a password. Empty and overlong ones are
// BadRequest; Unavailable when too many wait already.
func (p *Passwords) Hash(ctx context.Context, password string) (string, error) {
	if password == "" {
		return "", fault.New(fault.BadRequest, "The password must not be empty")
	}
	if len(password) > MaxPassword {
		return "", fault.Newf(fault.BadRequest, "The password is longer than %d bytes", MaxPassword)
	}
	h := &passwordHash{
		memory: newMemory, rounds: newRounds, threads: newThreads,
		salt: make([]byte, newSalt), sum: make([]byte, newSum),
	}
	_, _ = rand.Read(h.salt) // never fails since Go 1.24: it aborts the program instead
	release, err := p.acquire(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	if h.sum, err = h.derive(password); err != nil {
		return "", fault.Wrap(err, "hash a password")
	}
	return h.String(), nil
}

// Verify says whether a password belongs to a stored hash: argon2id, or
// Odoo's pbkdf2_sha512. A hash that is empty or of no known form matches
// nothing, and takes as long as the usual one, so that the time says nothing
// about whether somebody has a password. Errors are those of waiting only:
// Unavailable, or ctx's.
func (p *Passwords) Verify(ctx context.Context, password, stored string) (bool, error) {
	release, err := p.acquire(ctx)
	if err != nil {
		return false, err
	}
	defer release()
	return p.compare(password, stored)
}

// compare is Verify for who has a slot.
func (p *Passwords) compare(password, stored string) (bool, error) {
	if len(password) > MaxPassword {
		return false, nil
	}
	h, err := parsePasswordHash(stored)
	known := err == nil
	if known {
		p.usual.Store(h)
	} else {
		h = p.usual.Load()
	}
	ok, err := h.matches(password)
	if err != nil {
		return false, fault.Wrap(err, "verify a password")
	}
	return ok && known, nil
}

// Expect tells which kind of hash users here have, by an example, so that the
// first login of somebody unknown already takes as long as that of anybody else.
func (p *Passwords) Expect(stored string) {
	if h, err := parsePasswordHash(stored); err == nil {
		p.usual.Store(h)
	}
}

// acquire waits for a slot.
func (p *Passwords) acquire(ctx context.Context) (release func(), err error) {
	defer p.waiting.Add(-1)
	if p.waiting.Add(1) > maxWaiting {
		return nil, &fault.Error{Kind: fault.Unavailable, Message: "Too many logins at once", RetryAfter: time.Second}
	}
	select {
	case p.slots <- struct{}{}:
		return func() { <-p.slots }, nil
	case <-ctx.Done():
		return nil, fault.New(fault.Unavailable, "Waited too long for a login").Because(ctx.Err())
	}
}
