package traffic

import (
	"encoding/binary"
	"math"
	"math/bits"
	"time"
)

// Latencies are counted in buckets that grow with them: each power of two is
// cut into 32, so that the middle of a bucket is at most 1.6 % from anything in
// it, above 4 µs. Histograms of minutes, callers and nodes are added up bucket
// by bucket, which averages of percentiles could not be.
const (
	unitShift  = 7 // latencies are kept in units of 128 ns
	bucketBits = 5
	perOctave  = 1 << bucketBits
	buckets    = 1024 // the last begins at two hours and a half
)

// ranges are the bars of the dashboard's histogram: their upper bounds. They
// are counted beside the buckets, and so are exact.
var rangeBounds = [...]time.Duration{10 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 500 * time.Millisecond, math.MaxInt64}

const ranges = len(rangeBounds)

// histogram is how many requests took how long. The zero value is empty.
type histogram struct {
	counts [buckets]int64
	ranges [ranges]int64
}

// bucketOf is the bucket of a latency.
func bucketOf(d time.Duration) int {
	v := uint64(max(d, 0)) >> unitShift
	if v < perOctave {
		return int(v)
	}
	octave := bits.Len64(v) - bucketBits - 1
	return min((octave+1)<<bucketBits+int(v>>octave)-perOctave, buckets-1)
}

// middle is the latency that stands for all of a bucket.
func middle(bucket int) time.Duration {
	if bucket < perOctave {
		return time.Duration(bucket)<<unitShift + 1<<(unitShift-1)
	}
	octave := bucket>>bucketBits - 1
	low := uint64(perOctave+bucket&(perOctave-1)) << octave
	return time.Duration((low<<1 + 1<<octave) << (unitShift - 1))
}

// rangeOf is the bar of a latency.
func rangeOf(d time.Duration) int {
	for i, bound := range rangeBounds {
		if d < bound {
			return i
		}
	}
	return ranges - 1
}

func (h *histogram) add(d time.Duration) {
	h.counts[bucketOf(d)]++
	h.ranges[rangeOf(d)]++
}

func (h *histogram) merge(o *histogram) {
	for i, n := range o.counts {
		h.counts[i] += n
	}
	for i, n := range o.ranges {
		h.ranges[i] += n
	}
}

func (h *histogram) total() (n int64) {
	for _, c := range h.ranges {
		n += c
	}
	return n
}

// percentile is the latency that p percent of the requests did not exceed; not
// ok: there are none.
func (h *histogram) percentile(p float64) (d time.Duration, ok bool) {
	total := h.total()
	if total == 0 {
		return 0, false
	}
	rank, seen := max(int64(math.Ceil(p/100*float64(total))), 1), int64(0)
	for i, n := range h.counts {
		if seen += n; seen >= rank {
			return middle(i), true
		}
	}
	return middle(buckets - 1), true
}

// encode writes the ranges, and the buckets that are not empty as distance and
// count: a few hundred bytes.
func (h *histogram) encode() []byte {
	out := make([]byte, 0, 256)
	for _, n := range h.ranges {
		out = binary.AppendUvarint(out, uint64(n))
	}
	last := 0
	for i, n := range h.counts {
		if n > 0 {
			out = binary.AppendUvarint(out, uint64(i-last))
			out = binary.AppendUvarint(out, uint64(n))
			last = i
		}
	}
	return out
}

// addEncoded adds what encode wrote; nothing of bytes that are not such is kept
// beyond the first that makes no sense.
func (h *histogram) addEncoded(in []byte) {
	next := func() (uint64, bool) {
		v, n := binary.Uvarint(in)
		if n <= 0 {
			return 0, false
		}
		in = in[n:]
		return v, true
	}
	for i := range h.ranges {
		n, ok := next()
		if !ok {
			return
		}
		h.ranges[i] += int64(n)
	}
	at := uint64(0)
	for {
		distance, ok := next()
		n, more := next()
		if !ok || !more || distance >= buckets || at+distance >= buckets {
			return
		}
		at += distance
		h.counts[at] += int64(n)
	}
}
