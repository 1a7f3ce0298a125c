package throttle

import (
	"slices"
	"time"

	"gatehouse/internal/clock"
)

// refusals are the subjects that are known to be over a limit.
type refusals struct {
	known   map[string]refusal
	sweepAt int // size at which ended ones are removed
	most    int
}

// refusal is why a subject gets nothing until a moment. It holds as long as
// the limits are the same.
type refusal struct {
	windows  []Window
	decision Decision
	until    time.Time
}

func newRefusals(most int) refusals {
	return refusals{known: map[string]refusal{}, sweepAt: 1000, most: most}
}

// find looks up whether a subject is refused.
func (rs *refusals) find(subject string, windows []Window, c clock.Clock) (Decision, bool) {
	r, ok := rs.known[subject]
	if !ok {
		return Decision{}, false
	}
	left := r.until.Sub(c.Now())
	if left <= 0 || !slices.Equal(r.windows, windows) {
		delete(rs.known, subject)
		return Decision{}, false
	}
	d := r.decision
	d.Reset = left
	return d, true
}

// remember keeps a refusal. Ended ones are removed whenever their number has
// doubled; beyond most the database is asked each time.
func (rs *refusals) remember(subject string, r refusal, now time.Time) {
	if len(rs.known) >= rs.sweepAt {
		for s, old := range rs.known {
			if !old.until.After(now) {
				delete(rs.known, s)
			}
		}
		rs.sweepAt = max(1000, 2*len(rs.known))
	}
	if len(rs.known) < rs.most {
		rs.known[subject] = r
	}
}
