package traffic

import (
	"maps"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
)

// counts are sums of requests, by class.
type counts [classes]struct{ n, micros, out int64 }

func (c *counts) add(o *counts) {
	for i := range c {
		c[i].n += o[i].n
		c[i].micros += o[i].micros
		c[i].out += o[i].out
	}
}

// callerKey is a caller in a minute (since 1970).
type callerKey struct {
	minute int64
	kind   callerKind
	id     int64
}

// endpointKey is a route, and what it was about.
type endpointKey struct{ method, route, model string }

// callerTally is the traffic of a caller in a minute.
type callerTally struct {
	endpoints  map[endpointKey]*counts
	histograms [classes]*histogram
	ips        map[netip.Addr]*[classes]int64
	others     [classes]distinct // addresses that ips has no place for
}

// maxAddresses bounds the addresses that are counted one by one between two
// collections, of each caller. Further ones still count as different.
const maxAddresses = 10_000

// shard is a part of what was counted since it was last collected. Requests
// take any of them, so that they do not wait for each other.
type shard struct {
	mu      sync.Mutex
	callers map[callerKey]*callerTally
	_       [64]byte // a cache line of its own
}

// tally counts requests in memory. It is collected every second.
type tally struct {
	shards []shard
	// models are those that a request has succeeded on. Any path names a model,
	// so others are not believed: they would be endpoints without end.
	models atomic.Pointer[map[string]struct{}]
}

func newTally() *tally {
	t := &tally{shards: make([]shard, min(runtime.GOMAXPROCS(0), 16))}
	for i := range t.shards {
		t.shards[i].callers = map[callerKey]*callerTally{}
	}
	t.models.Store(&map[string]struct{}{})
	return t
}

// endpoint is what a request counts as.
func (t *tally) endpoint(e *Event) endpointKey {
	k := endpointKey{e.Method, e.Route, e.Model}
	if e.Model != "" && e.Status >= http.StatusBadRequest && strings.Contains(e.Route, "{model}") {
		if _, known := (*t.models.Load())[e.Model]; !known {
			k.model = ""
		}
	}
	if !knownMethod(e.Method) {
		k.method = "OTHER"
	}
	return k
}

func knownMethod(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return true
	}
	return false
}

// name is the endpoint as reports show it.
func (k endpointKey) name() string {
	name := k.method + " " + k.route
	if k.route == "" {
		name = k.method + " (no route)"
	}
	if k.model != "" && strings.Contains(k.route, "{model}") {
		name += " " + k.model
	}
	return name
}

// count notes a request. What is seen for the first time since the last
// collection allocates; nothing else does.
func (t *tally) count(e *Event) {
	key, endpoint, class := callerKey{minute: e.Time.Unix() / 60}, t.endpoint(e), classOf(e.Status)
	key.kind, key.id = e.caller()
	latency := max(e.Latency, 0)
	s := &t.shards[rand.IntN(len(t.shards))] //nolint:gosec // no secret
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.callers[key]
	if c == nil {
		c = &callerTally{endpoints: map[endpointKey]*counts{}, ips: map[netip.Addr]*[classes]int64{}}
		s.callers[key] = c
	}
	n := c.endpoints[endpoint]
	if n == nil {
		n = &counts{}
		endpoint.method, endpoint.model = strings.Clone(endpoint.method), strings.Clone(endpoint.model) // not the request's memory
		c.endpoints[endpoint] = n
	}
	n[class].n++
	n[class].micros += latency.Microseconds()
	n[class].out += e.BytesOut
	if c.histograms[class] == nil {
		c.histograms[class] = &histogram{}
	}
	c.histograms[class].add(latency)
	c.address(e.IP, class)
}

func (c *callerTally) address(ip netip.Addr, class class) {
	n := c.ips[ip]
	if n == nil {
		if len(c.ips) >= maxAddresses {
			c.others[class].add(hashAddress(ip))
			return
		}
		n = &[classes]int64{}
		c.ips[ip] = n
	}
	n[class]++
}

// merge adds what another shard has counted of the same caller.
func (c *callerTally) merge(o *callerTally) {
	for k, n := range o.endpoints {
		if have := c.endpoints[k]; have != nil {
			have.add(n)
		} else {
			c.endpoints[k] = n
		}
	}
	for i, h := range o.histograms {
		switch {
		case h == nil:
		case c.histograms[i] == nil:
			c.histograms[i] = h
		default:
			c.histograms[i].merge(h)
		}
		c.others[i].merge(&o.others[i])
	}
	for ip, n := range o.ips {
		have := c.ips[ip]
		if have == nil {
			c.ips[ip] = n
			continue
		}
		for i := range n {
			have[i] += n[i]
		}
	}
}

// collect takes what was counted since the last time.
func (t *tally) collect() map[callerKey]*callerTally {
	all := map[callerKey]*callerTally{}
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		if len(s.callers) == 0 {
			s.mu.Unlock()
			continue
		}
		taken := s.callers
		s.callers = make(map[callerKey]*callerTally, len(taken))
		s.mu.Unlock()
		for key, c := range taken {
			if have := all[key]; have != nil {
				have.merge(c)
			} else {
				all[key] = c
			}
		}
	}
	t.learn(all)
	return all
}

// learn believes in the models that requests have succeeded on.
func (t *tally) learn(all map[callerKey]*callerTally) {
	known := *t.models.Load()
	var learned map[string]struct{}
	for _, c := range all {
		for k, n := range c.endpoints {
			if _, has := known[k.model]; has || k.model == "" || n[success].n == 0 {
				continue
			}
			if learned == nil {
				learned = maps.Clone(known)
			}
			learned[k.model] = struct{}{}
		}
	}
	if learned != nil {
		t.models.Store(&learned)
	}
}

// second is what a tick tells of one second, or of several.
type second struct {
	requests, errors, serverErrors, limited, micros int64
}

func (s *second) add(o second) {
	s.requests += o.requests
	s.errors += o.errors
	s.serverErrors += o.serverErrors
	s.limited += o.limited
	s.micros += o.micros
}

// sum adds up what was collected.
func sum(all map[callerKey]*callerTally) (s second) {
	for _, c := range all {
		for _, n := range c.endpoints {
			for i := range n {
				s.requests += n[i].n
				s.micros += n[i].micros
			}
			s.errors += n[clientError].n + n[serverError].n
			s.serverErrors += n[serverError].n
			s.limited += n[limited].n
		}
	}
	return s
}
