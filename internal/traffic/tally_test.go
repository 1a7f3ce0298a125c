package traffic

import (
	"sync"
	"testing"
	"time"
)

// TestCollectWhileCounting: a collection that finds nothing leaves nothing
// behind that it still reads. The race detector, and Go's maps, tell.
func TestCollectWhileCounting(t *testing.T) {
	tally, total := newTally(), int64(0)
	const each, callers = 20_000, 4
	var all sync.WaitGroup
	done := make(chan struct{})
	for range callers {
		all.Go(func() {
			for range each {
				tally.count(&Event{Time: time.Now(), Method: "GET", Route: "/api/v1/ping", Status: 200})
			}
		})
	}
	go func() { all.Wait(); close(done) }()
	for collecting := true; collecting; {
		select {
		case <-done:
			collecting = false
		default:
		}
		total += sum(tally.collect()).requests
	}
	if total != each*callers {
		t.Errorf("%d of %d requests were collected", total, each*callers)
	}
}
