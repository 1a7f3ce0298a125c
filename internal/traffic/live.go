package traffic

import (
	"sync"
	"time"
)

// live knows the last minute, second by second.
type live struct {
	mu      sync.Mutex
	seconds [60]second
	at      int // where the next one goes
}

func newLive() *live { return &live{} }

// tick notes what happened since the tick before, a second ago.
func (l *live) tick(_ time.Time, s second) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seconds[l.at%len(l.seconds)] = s
	l.at++
}

// last adds up the last n seconds.
func (l *live) last(n int) (s second) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := 1; i <= n && i <= l.at; i++ {
		s.add(l.seconds[(l.at-i)%len(l.seconds)])
	}
	return s
}

// perSecond is the mean of the last ten seconds.
func (l *live) perSecond() float64 {
	const over = 10
	return float64(l.last(over).requests) / over
}
