package record

import (
	"sync"
	"time"
)

// planCache keeps plans by key, bounded.
type planCache struct {
	mu    sync.RWMutex
	plans map[string]*plan
}

const maxPlans = 4096

// maxPlanKey keeps plans of huge domains out: whoever sends thousands of them
// would fill the memory, and nobody asks the same one again.
const maxPlanKey = 4 << 10

func newPlanCache() *planCache { return &planCache{plans: map[string]*plan{}} }

func (pc *planCache) get(key string, now func() time.Time) *plan {
	pc.mu.RLock()
	p := pc.plans[key]
	pc.mu.RUnlock()
	if p != nil && !p.until.IsZero() && now().After(p.until) {
		return nil
	}
	return p
}

func (pc *planCache) put(key string, p *plan) {
	pc.mu.Lock()
	defer pc.mu.Unlock()
	if len(pc.plans) >= maxPlans {
		for k := range pc.plans { // any: the map's order is random enough
			delete(pc.plans, k)
			if len(pc.plans) < maxPlans*3/4 {
				break
			}
		}
	}
	pc.plans[key] = p
}
