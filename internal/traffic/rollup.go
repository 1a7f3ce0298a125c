package traffic

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"time"
)

// level is how long the buckets of a rollup are.
type level int64

const (
	minutes level = iota
	hours
	days
)

// lengths are the buckets' lengths in seconds.
var lengths = [...]int64{minutes: 60, hours: 3600, days: 86400}

// start is the beginning of the bucket that a moment, in seconds since 1970,
// falls into.
func (l level) start(at int64) int64 { return at - at%lengths[l] }

// bucket is a row's place: everybody's traffic is kept as that of the caller *,
// so that the usual question reads few rows.
type bucket struct {
	level  level
	at     int64 // seconds since 1970
	caller string
}

func (b bucket) compare(o bucket) int {
	return cmp.Or(cmp.Compare(b.level, o.level), cmp.Compare(b.at, o.at), cmp.Compare(b.caller, o.caller))
}

// endpointBucket, addressBucket and sketchBucket are places in the other tables.
type (
	endpointBucket struct {
		bucket
		endpoint string
	}
	addressBucket struct {
		bucket
		ip netip.Addr
	}
	sketchBucket struct {
		bucket
		class class
	}
)

func (b endpointBucket) compare(o endpointBucket) int {
	return cmp.Or(b.bucket.compare(o.bucket), cmp.Compare(b.endpoint, o.endpoint))
}

func (b addressBucket) compare(o addressBucket) int {
	return cmp.Or(b.bucket.compare(o.bucket), b.ip.Compare(o.ip))
}

func (b sketchBucket) compare(o sketchBucket) int {
	return cmp.Or(b.bucket.compare(o.bucket), cmp.Compare(b.class, o.class))
}

// sketch is what cannot be kept as plain sums.
type sketch struct {
	latency histogram
	ips     distinct
}

// delta is traffic that is to be added to the stored rollups.
type delta struct {
	totals    map[bucket]*counts
	endpoints map[endpointBucket]*counts
	addresses map[addressBucket]*[classes]int64
	sketches  map[sketchBucket]*sketch
}

func newDelta() *delta {
	return &delta{
		totals: map[bucket]*counts{}, endpoints: map[endpointBucket]*counts{},
		addresses: map[addressBucket]*[classes]int64{}, sketches: map[sketchBucket]*sketch{},
	}
}

func (d *delta) empty() bool { return len(d.totals) == 0 }

// rows is how many rows the delta changes.
func (d *delta) rows() int {
	return len(d.totals) + len(d.endpoints) + len(d.addresses) + len(d.sketches)
}

// busiest bounds the addresses of a caller that one collection writes; the
// others still count as different.
const busiest = 100

// add enters what was collected, for its caller and for everybody. Minutes are
// kept of totals only: nobody asks for the endpoints of a minute, which the log
// has.
func (d *delta) add(all map[callerKey]*callerTally) {
	merged := map[int64]*callerTally{} // everybody, by minute
	for key, c := range all {
		d.addCaller(key.minute*60, callerName(key.kind, key.id), c)
		m := merged[key.minute]
		if m == nil {
			m = &callerTally{endpoints: map[endpointKey]*counts{}, ips: map[netip.Addr]*[classes]int64{}}
			merged[key.minute] = m
		}
		m.merge(c.clone())
	}
	for minute, c := range merged {
		d.addCaller(minute*60, everybody, c)
	}
}

// clone copies a tally deeply: merge keeps what it is given.
func (c *callerTally) clone() *callerTally {
	o := &callerTally{endpoints: make(map[endpointKey]*counts, len(c.endpoints)), ips: make(map[netip.Addr]*[classes]int64, len(c.ips))}
	for k, n := range c.endpoints {
		copied := *n
		o.endpoints[k] = &copied
	}
	for ip, n := range c.ips {
		copied := *n
		o.ips[ip] = &copied
	}
	for i, h := range c.histograms {
		if h != nil {
			copied := *h
			o.histograms[i] = &copied
		}
		o.others[i].merge(&c.others[i])
	}
	return o
}

func (d *delta) addCaller(at int64, caller string, c *callerTally) {
	d.addLevels(at, caller, c, minutes, hours, days)
}

func (d *delta) addLevels(at int64, caller string, c *callerTally, levels ...level) {
	total := counts{}
	for _, n := range c.endpoints {
		total.add(n)
	}
	sketches := c.sketches()
	top := c.busiest()
	for _, l := range levels {
		place := bucket{l, l.start(at), caller}
		at0(d.totals, place).add(&total)
		for class, s := range sketches {
			if s != nil {
				into := at0(d.sketches, sketchBucket{place, classOfIndex(class)})
				into.latency.merge(&s.latency)
				into.ips.merge(&s.ips)
			}
		}
		if l == minutes {
			continue
		}
		for k, n := range c.endpoints {
			at0(d.endpoints, endpointBucket{place, k.name()}).add(n)
		}
		for _, ip := range top {
			into := at0(d.addresses, addressBucket{place, ip})
			for i, n := range c.ips[ip] {
				into[i] += n
			}
		}
	}
}

func classOfIndex(i int) class { return class(i) }

// at0 finds a value in a map, or puts an empty one there.
func at0[K comparable, V any](m map[K]*V, k K) *V {
	v := m[k]
	if v == nil {
		v = new(V)
		m[k] = v
	}
	return v
}

func (c *callerTally) sketches() (all [classes]*sketch) {
	for i, h := range c.histograms {
		if h != nil {
			all[i] = &sketch{latency: *h}
			all[i].ips.merge(&c.others[i])
		}
	}
	for ip, n := range c.ips {
		hash := hashAddress(ip)
		for i := range n {
			if n[i] > 0 && all[i] != nil {
				all[i].ips.add(hash)
			}
		}
	}
	return all
}

// busiest are the addresses with the most requests.
func (c *callerTally) busiest() []netip.Addr {
	ips := slices.Collect(maps.Keys(c.ips))
	if len(ips) <= busiest {
		return ips
	}
	requests := func(ip netip.Addr) (n int64) {
		for _, m := range c.ips[ip] {
			n += m
		}
		return n
	}
	slices.SortFunc(ips, func(a, b netip.Addr) int {
		return cmp.Or(cmp.Compare(requests(b), requests(a)), a.Compare(b))
	})
	return ips[:busiest]
}

// ordered gives the keys of a map in their order: rows are always locked in
// the same one, by whichever node.
func ordered[K comparable, V any](m map[K]V, compare func(a, b K) int) []K {
	return slices.SortedFunc(maps.Keys(m), compare)
}

// moment is a bucket's beginning.
func moment(at int64) time.Time { return time.Unix(at, 0).UTC() }
