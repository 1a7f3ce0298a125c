package webhook

import (
	"math/rand/v2"
	"time"
)

// MaxAttempts is how often a job is tried; the last time about three days after
// the first.
const MaxAttempts = 12

const (
	firstPause = 10 * time.Second
	maxPause   = 24 * time.Hour
	maxAsked   = 24 * time.Hour // of a Retry-After

	// failuresToOpen in a row open the circuit of an endpoint, for firstOpen, then
	// twice as long each time up to maxOpen.
	failuresToOpen = 10
	firstOpen      = 15 * time.Second
	maxOpen        = 5 * time.Minute

	// disableAfter is how long an endpoint may fail without a single success.
	disableAfter = 3 * 24 * time.Hour
)

// Backoff is the pause after a number of attempts that failed, without jitter:
// 10 s, 30 s, 90 s and so on, up to a day.
func Backoff(attempts int) time.Duration {
	pause := firstPause
	for i := 1; i < attempts && pause < maxPause; i++ {
		pause *= 3
	}
	return min(pause, maxPause)
}

// jittered moves a pause by up to a fifth, so that what failed together does not
// come back together. share is from 0 to 1.
func jittered(pause time.Duration, share float64) time.Duration {
	return time.Duration(float64(pause) * (0.8 + 0.4*share))
}

// pauseFor is how long a job waits after an attempt: what the endpoint asked
// for, where it did, and at least the backoff.
func pauseFor(backoff func(int) time.Duration, attempts int, asked time.Duration) time.Duration {
	return max(jittered(backoff(attempts), rand.Float64()), min(asked, maxAsked)) //nolint:gosec // jitter is no secret
}

// openFor is how long a circuit stays open that was open for that long before.
func openFor(before time.Duration) time.Duration {
	return min(max(2*before, firstOpen), maxOpen)
}
