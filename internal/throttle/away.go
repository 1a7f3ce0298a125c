package throttle

import (
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/internal/clock"
)

// availability remembers that the store did not answer. Then one request in a
// second finds out whether it does again, and the others are told at once:
// callers must not wait for a store that hangs, least of all when they are let
// through without it.
type availability struct {
	clock clock.Clock
	log   *slog.Logger

	away atomic.Bool // read by every request
	mu   sync.Mutex
	next time.Time // when it is to be asked again
}

var errAway = errors.New("the store did not answer a moment ago")

// ask says whether the store may be asked.
func (a *availability) ask() bool {
	if !a.away.Load() {
		return true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.clock.Now()
	if now.Before(a.next) {
		return false
	}
	a.next = now.Add(retryAfter)
	return true
}

// note keeps what came of asking.
func (a *availability) note(err error) {
	away := err != nil && isAway(err)
	if !away && (err != nil || !a.away.Load()) {
		return
	}
	a.mu.Lock()
	a.next = a.clock.Now().Add(retryAfter)
	changed := a.away.Swap(away) != away
	a.mu.Unlock()
	switch {
	case changed && away:
		a.log.Error("The store does not count requests", "error", err)
	case changed:
		a.log.Info("The store counts requests again")
	}
}
