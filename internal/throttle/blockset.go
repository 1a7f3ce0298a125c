package throttle

import (
	"net/netip"
	"slices"
	"time"
)

// Block is a block that is in effect.
type Block struct {
	ID      int64
	Network netip.Prefix
	Until   time.Time // zero: until somebody ends it
}

// lasts says whether the block is in effect at a moment.
func (b Block) lasts(now time.Time) bool { return b.Until.IsZero() || now.Before(b.Until) }

// outlasts says whether a block ends after another.
func (b Block) outlasts(other Block) bool {
	return !other.Until.IsZero() && (b.Until.IsZero() || b.Until.After(other.Until))
}

// blockSet is the blocks of a moment, by network. It is immutable and shared.
type blockSet struct {
	networks map[netip.Prefix]Block
	// The lengths that the networks have: an address is looked up once for each.
	// Usually there are two, those of automatic blocks.
	lengths4, lengths6 []int
	firstEnd           time.Time // zero: none of them ends
}

func newBlockSet(list []Block) *blockSet {
	s := &blockSet{networks: make(map[netip.Prefix]Block, len(list))}
	for _, b := range list {
		if other, twice := s.networks[b.Network]; twice && !b.outlasts(other) {
			continue
		}
		s.networks[b.Network] = b
		lengths := &s.lengths4
		if b.Network.Addr().Is6() {
			lengths = &s.lengths6
		}
		if !slices.Contains(*lengths, b.Network.Bits()) {
			*lengths = append(*lengths, b.Network.Bits())
		}
		if !b.Until.IsZero() && (s.firstEnd.IsZero() || b.Until.Before(s.firstEnd)) {
			s.firstEnd = b.Until
		}
	}
	return s
}

// find gives the block of an address that lasts longest.
func (s *blockSet) find(ip netip.Addr, now time.Time) (found Block, ok bool) {
	lengths := s.lengths4
	if ip.Is6() {
		lengths = s.lengths6
	}
	for _, bits := range lengths {
		network, err := ip.Prefix(bits)
		if err != nil {
			continue
		}
		if b, in := s.networks[network]; in && b.lasts(now) && (!ok || b.outlasts(found)) {
			found, ok = b, true
		}
	}
	return found, ok
}

// ended says whether one of the blocks has ended.
func (s *blockSet) ended(now time.Time) bool { return !s.firstEnd.IsZero() && !now.Before(s.firstEnd) }
