package traffic

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"math/bits"
	"net/netip"
	"slices"
)

// How many different addresses there were is exact up to exactDistinct of
// them; beyond that it is estimated by HyperLogLog, with a standard error of
// 1.6 %. Either way sets of hours, callers and nodes can be joined.
const (
	exactDistinct = 512
	registerBits  = 12
	registers     = 1 << registerBits
)

// distinct is a set that knows its size and nothing else. The zero value is empty.
type distinct struct {
	hashes    map[uint64]struct{} // while it is exact
	registers []uint8             // afterwards; of registers
}

// The first byte of an encoded set.
const (
	encodedHashes    = 1
	encodedRegisters = 2
)

// hashAddress spreads an address over 64 bits, in the same way for ever.
func hashAddress(ip netip.Addr) uint64 {
	a := ip.As16()
	h := fnv.New64a()
	_, _ = h.Write(a[:])
	return mix(h.Sum64())
}

// mix makes every bit depend on every other (the finaliser of MurmurHash3),
// which FNV alone does not for short inputs.
func mix(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

func (d *distinct) add(hash uint64) {
	if d.registers != nil {
		d.register(hash)
		return
	}
	if d.hashes == nil {
		d.hashes = make(map[uint64]struct{})
	}
	d.hashes[hash] = struct{}{}
	if len(d.hashes) > exactDistinct {
		d.estimate()
	}
}

// estimate goes over to registers.
func (d *distinct) estimate() {
	d.registers = make([]uint8, registers)
	for hash := range d.hashes {
		d.register(hash)
	}
	d.hashes = nil
}

func (d *distinct) register(hash uint64) {
	i := hash >> (64 - registerBits)
	rank := uint8(bits.LeadingZeros64(hash<<registerBits|1<<(registerBits-1)) + 1)
	d.registers[i] = max(d.registers[i], rank)
}

func (d *distinct) merge(o *distinct) {
	for hash := range o.hashes {
		d.add(hash)
	}
	if o.registers == nil {
		return
	}
	if d.registers == nil {
		d.estimate()
	}
	for i, rank := range o.registers {
		d.registers[i] = max(d.registers[i], rank)
	}
}

// count is the number of elements.
func (d *distinct) count() int64 {
	if d.registers == nil {
		return int64(len(d.hashes))
	}
	const m = float64(registers)
	sum, zeros := 0.0, 0.0
	for _, rank := range d.registers {
		sum += math.Ldexp(1, -int(rank))
		if rank == 0 {
			zeros++
		}
	}
	estimate := 0.7213 / (1 + 1.079/m) * m * m / sum
	if estimate <= 2.5*m && zeros > 0 {
		estimate = m * math.Log(m/zeros)
	}
	return int64(math.Round(estimate))
}

func (d *distinct) encode() []byte {
	if d.registers != nil {
		return append([]byte{encodedRegisters}, d.registers...)
	}
	hashes := make([]uint64, 0, len(d.hashes))
	for hash := range d.hashes {
		hashes = append(hashes, hash)
	}
	slices.Sort(hashes)
	out := make([]byte, 1, 1+8*len(hashes))
	out[0] = encodedHashes
	for _, hash := range hashes {
		out = binary.BigEndian.AppendUint64(out, hash)
	}
	return out
}

// addEncoded joins what encode wrote.
func (d *distinct) addEncoded(in []byte) {
	switch {
	case len(in) == 0:
	case in[0] == encodedHashes:
		for in = in[1:]; len(in) >= 8; in = in[8:] {
			d.add(binary.BigEndian.Uint64(in))
		}
	case in[0] == encodedRegisters && len(in) == 1+registers:
		d.merge(&distinct{registers: in[1:]})
	}
}
