package throttle

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/fault"
)

func TestParseNetwork(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", " 192.0.2.7\n": "192.0.2.7", "192.0.2.7/24": "192.0.2.0/24", "192.0.2.7/32": "192.0.2.7",
		"::ffff:192.0.2.7": "192.0.2.7", "2001:db8::/32": "2001:db8::/32", "2001:DB8::1": "2001:db8::1",
		"": "", "x": "", "192.0.2.7,192.0.2.8": "", "0.0.0.0/0": "", "::/0": "", "fe80::1%eth0": "", "::ffff:0:0/96": "",
	} {
		network, err := ParseNetwork(text)
		if want == "" {
			if !fault.Is(err, fault.BadRequest) {
				t.Errorf("%q: %v, %v", text, network, err)
			}
			continue
		}
		if got := NetworkText(network); err != nil || got != want {
			t.Errorf("%q: %s, %v; want %s", text, got, err, want)
		}
	}
}

// A set finds what walking the list would find.
func FuzzBlockSet(f *testing.F) {
	f.Add("192.0.2.0/24\n192.0.2.7\n2001:db8::/32", "192.0.2.7")
	f.Add("10.0.0.0/8\n10.1.0.0/16", "::ffff:10.1.2.3")
	f.Add("::1", "::1%lo")
	f.Fuzz(func(t *testing.T, text, address string) {
		now := time.Unix(1_000_000, 0)
		var all []Block
		for i, line := range strings.Split(text, "\n") {
			network, err := ParseNetwork(line)
			if err != nil {
				continue
			}
			if again, err := ParseNetwork(NetworkText(network)); err != nil || again != network {
				t.Fatalf("%v is written as %q, which reads as %v (%v)", network, NetworkText(network), again, err)
			}
			b := Block{ID: int64(i), Network: network}
			if i%3 > 0 {
				b.Until = now.Add(time.Duration(i%3-1) * time.Hour) // some have ended
			}
			all = append(all, b)
		}
		ip, err := netip.ParseAddr(address)
		if err != nil {
			return
		}
		plain := ip.Unmap().WithZone("")
		want := slices.ContainsFunc(all, func(b Block) bool { return b.Network.Contains(plain) && b.lasts(now) })
		set := newBlockSet(all)
		found, ok := set.find(plain, now)
		if ok != want || ok && (!found.Network.Contains(plain) || !found.lasts(now)) {
			t.Fatalf("%v: found %+v %v, want %v in %+v", plain, found, ok, want, all)
		}
		for _, b := range all {
			if ok && b.Network.Contains(plain) && b.outlasts(found) {
				t.Fatalf("%v: %+v lasts longer than %+v", plain, b, found)
			}
		}
	})
}

func BenchmarkBlocked(b *testing.B) {
	now := time.Now()
	var list []Block
	for i := range 50_000 {
		list = append(list,
			Block{Network: netip.PrefixFrom(netip.AddrFrom4([4]byte{100, byte(i >> 16), byte(i >> 8), byte(i)}), 32)},
			Block{Network: netip.PrefixFrom(netip.AddrFrom16([16]byte{32, 1, 0, byte(i >> 16), 0, 0, byte(i >> 8), byte(i)}), 64)})
	}
	list = append(list, Block{Network: netip.MustParsePrefix("192.0.2.0/24")}, Block{Network: netip.MustParsePrefix("198.51.0.0/16")})
	blocks := &Blocks{never: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	for _, test := range []struct {
		name string
		list []Block
		ip   string
	}{
		{"none", nil, "203.0.113.5"},
		{"free", list, "203.0.113.5"},
		{"free v6", list, "2001:db8::1"},
		{"address", list, "100.0.1.1"},
		{"network", list, "192.0.2.9"},
	} {
		b.Run(test.name, func(b *testing.B) {
			blocks.set.Store(newBlockSet(test.list))
			ip := netip.MustParseAddr(test.ip)
			b.ReportAllocs()
			for b.Loop() {
				blocks.Blocked(ip, now)
			}
		})
	}
}

// The look-up is on the path of every request.
func TestBlockedDoesNotAllocate(t *testing.T) {
	blocks := &Blocks{never: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	blocks.set.Store(newBlockSet([]Block{{Network: netip.MustParsePrefix("192.0.2.0/24")}, {Network: netip.MustParsePrefix("2001:db8::/64")}}))
	now := time.Now()
	for text, want := range map[string]bool{"192.0.2.7": true, "::ffff:192.0.2.7": true, "203.0.113.5": false, "2001:db8::7": true, "2001:db9::7": false} {
		ip, got := netip.MustParseAddr(text), false
		if n := testing.AllocsPerRun(100, func() { _, got = blocks.Blocked(ip, now) }); n != 0 || got != want {
			t.Errorf("%s: blocked %v, %v allocations", text, got, n)
		}
	}
}

func BenchmarkViolation(b *testing.B) {
	blocks := &Blocks{rule: func() BlockRule { return BlockRule{1 << 30, time.Hour, time.Hour} }, due: make(chan struct{}, 1)}
	blocks.set.Store(newBlockSet(nil))
	now := time.Now()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		blocks.Violation(netip.AddrFrom4([4]byte{100, 0, byte(i >> 8), byte(i)}), now)
	}
}
