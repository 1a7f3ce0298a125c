package iprange

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"gatehouse/internal/fault"
)

func TestParseAllowList(t *testing.T) {
	for _, test := range []struct{ text, want, wrong string }{
		{"", "", ""},
		{" \n,\n", "", ""},
		{"192.0.2.7", "192.0.2.7/32", ""},
		{"192.0.2.7, 10.0.0.0/8\n2001:db8::/32\r\n::1", "192.0.2.7/32 10.0.0.0/8 2001:db8::/32 ::1/128", ""},
		{"10.1.2.3/8", "10.0.0.0/8", ""},
		{"::ffff:192.0.2.7", "192.0.2.7/32", ""},
		{"::ffff:10.0.0.0/104", "10.0.0.0/8", ""},
		{"0.0.0.0/0,::/0", "0.0.0.0/0 ::/0", ""},
		{"10.0.0.1\n10.0.0.256", "", `Line 2: "10.0.0.256" is not an IP address`},
		{"10.0.0.0/33", "", `Line 1: "10.0.0.0/33" is not a CIDR range`},
		{"a\nb", "", `Line 1: "a"`},
		{"\n\nexample.com", "", `Line 3: "example.com"`},
		{"fe80::1%eth0", "", "is not an IP address"},
		{"::ffff:10.0.0.0/8", "", "mixes IPv4 and IPv6"},
		{"10.0.0.1 10.0.0.2", "", `"10.0.0.1 10.0.0.2" is not`},
		{"::FFFF:192.0.2.7\t", "192.0.2.7/32", ""},
		{"::ffff:c000:207", "192.0.2.7/32", ""},
		{"::ffff:0:0/96", "0.0.0.0/0", ""},
		{"10.0.0.1/", "", "is not a CIDR range"},
		{"10.0.0.0/08", "", "is not a CIDR range"},
		{"10.0.0.0/-1", "", "is not a CIDR range"},
		{"10.0.0.0/8/8", "", "is not a CIDR range"},
		{"010.0.0.1", "", "is not an IP address"},
		{"10.1", "", "is not an IP address"},
		{"0x0a000001", "", "is not an IP address"},
		{"[::1]", "", "is not an IP address"},
		{"10.0.0.1:80", "", "is not an IP address"},
		{"fe80::1%eth0/64", "", "is not a CIDR range"},
		{"2001:db8::/129", "", "is not a CIDR range"},
		{"*", "", "is not an IP address"},
		{"10.0.0.1\x00", "", "is not an IP address"},
		{"10.0.0.1\r10.0.0.2", "", "is not an IP address"},
		{strings.Repeat("x", 5000), "", "Line 1:"},
		{strings.Repeat("10.0.0.1\n", MaxEntries+1), "", "at most 1000"},
		{strings.Repeat("\n", maxText+1), "", "longer than"},
	} {
		list, err := ParseAllowList(test.text)
		if test.wrong != "" {
			if !fault.Is(err, fault.BadRequest) || !strings.Contains(fault.From(err).Message, test.wrong) {
				t.Errorf("%.40q: %v, want an error with %q", test.text, err, test.wrong)
			}
			continue
		}
		if got := text(list); err != nil || got != test.want {
			t.Errorf("%q: %q (%v), want %q", test.text, got, err, test.want)
		}
	}
}

func text(list []netip.Prefix) string {
	words := make([]string, len(list))
	for i, p := range list {
		words[i] = p.String()
	}
	return strings.Join(words, " ")
}

func TestAllowed(t *testing.T) {
	list, err := ParseAllowList("192.0.2.7,10.0.0.0/8,2001:db8::/32")
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[string]bool{
		"192.0.2.7": true, "192.0.2.8": false, "10.255.0.1": true, "11.0.0.1": false,
		"2001:db8::5": true, "2001:db9::5": false, "::ffff:10.0.0.1": true, "2001:db8::5%eth0": true,
	} {
		if got := Allowed(list, netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %v, want %v", addr, got, want)
		}
	}
	if Allowed(list, netip.Addr{}) {
		t.Error("an unknown address passes a list")
	}
	if !Allowed(nil, netip.Addr{}) || !Allowed(nil, netip.MustParseAddr("10.0.0.1")) {
		t.Error("an empty list refuses")
	}
	if Contains(nil, netip.MustParseAddr("10.0.0.1")) {
		t.Error("an empty list contains something")
	}
}

func FuzzParseAllowList(f *testing.F) {
	for _, seed := range []string{"", "10.0.0.0/8", "::ffff:1.2.3.4/97,::1", "a\n,b", "1.2.3.4\n2001:db8::/32"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		list, err := ParseAllowList(in)
		if err != nil {
			if !fault.Is(err, fault.BadRequest) {
				t.Fatalf("not a bad request: %v", err)
			}
			return
		}
		again, err := ParseAllowList(strings.ReplaceAll(text(list), " ", "\n"))
		if err != nil || text(again) != text(list) {
			t.Fatalf("%q reads as %q, which reads as %q (%v)", in, text(list), text(again), err)
		}
		for _, p := range list {
			if !Contains(list, p.Addr()) || p.Addr().Is4In6() {
				t.Fatalf("%v does not contain its own %v", list, p)
			}
		}
	})
}

// A list is walked for every request of a restricted credential.
func TestAllowedDoesNotAllocate(t *testing.T) {
	list, err := ParseAllowList("192.0.2.7,10.0.0.0/8,2001:db8::/32")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"10.1.2.3", "::ffff:10.1.2.3", "2001:db8::1", "203.0.113.1"} {
		addr := netip.MustParseAddr(text)
		if n := testing.AllocsPerRun(100, func() { Allowed(list, addr) }); n != 0 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
}

// Membership is what arithmetic on the bytes says, for IPv4 and its mapped form.
func FuzzContains(f *testing.F) {
	f.Add([]byte{10, 1, 2, 3}, []byte{10, 0, 0, 0}, 8)
	f.Add([]byte("0123456789abcdef"), []byte("0123456789abcdeX"), 127)
	f.Fuzz(func(t *testing.T, addrBytes, networkBytes []byte, bits int) {
		addr, ok := netip.AddrFromSlice(addrBytes)
		base, ok2 := netip.AddrFromSlice(networkBytes)
		if !ok || !ok2 || addr.BitLen() != base.BitLen() || addr.Is4In6() || base.Is4In6() || bits < 0 || bits > base.BitLen() {
			return
		}
		list, err := ParseAllowList(base.String() + "/" + strconv.Itoa(bits))
		if err != nil {
			t.Fatal(err)
		}
		want := true
		for i := range bits {
			if (addrBytes[i/8]^networkBytes[i/8])&(0x80>>(i%8)) != 0 {
				want = false
			}
		}
		if got := Contains(list, addr); got != want {
			t.Fatalf("%v in %v: %v", addr, list, got)
		}
		if addr.Is4() {
			mapped := netip.AddrFrom16(addr.As16())
			if got := Contains(list, mapped); got != want {
				t.Fatalf("%v in %v: %v", mapped, list, got)
			}
		}
	})
}

func BenchmarkContains(b *testing.B) {
	list := make([]netip.Prefix, 100)
	for i := range list {
		list[i] = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i), 0, 0}), 16)
	}
	addr := netip.MustParseAddr("203.0.113.1")
	b.ReportAllocs()
	for b.Loop() {
		Contains(list, addr)
	}
}
