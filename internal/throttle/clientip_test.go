package throttle

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"gatehouse/internal/iprange"
)

func TestClientIP(t *testing.T) {
	proxies, err := iprange.ParseAllowList("10.0.0.0/8, fd00::/8")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, remote string
		forwarded    []string
		trusted      []netip.Prefix
		want         string // "" is no address
	}{
		{"direct", "203.0.113.5:4711", nil, proxies, "203.0.113.5"},
		{"direct v6", "[2001:db8::1]:4711", nil, proxies, "2001:db8::1"},
		{"mapped", "[::ffff:203.0.113.5]:4711", nil, proxies, "203.0.113.5"},
		{"zone", "[fe80::1%eth0]:80", nil, proxies, "fe80::1"},
		{"nobody is trusted", "10.0.0.1:1", []string{"198.51.100.1"}, nil, "10.0.0.1"},
		{"spoofed by a stranger", "203.0.113.5:4711", []string{"198.51.100.1"}, proxies, "203.0.113.5"},
		{"one proxy", "10.0.0.1:1", []string{"198.51.100.1"}, proxies, "198.51.100.1"},
		{"mapped proxy", "[::ffff:10.0.0.1]:1", []string{"198.51.100.1"}, proxies, "198.51.100.1"},
		{"spoofed behind a proxy", "10.0.0.1:1", []string{"127.0.0.1, 198.51.100.1"}, proxies, "198.51.100.1"},
		{"two proxies", "10.0.0.1:1", []string{"1.1.1.1, 198.51.100.1, 10.0.0.2"}, proxies, "198.51.100.1"},
		{"two lines", "10.0.0.1:1", []string{"1.1.1.1", "198.51.100.1,10.0.0.2"}, proxies, "198.51.100.1"},
		{"line by line", "10.0.0.1:1", []string{"198.51.100.1", "10.0.0.2"}, proxies, "198.51.100.1"},
		{"only proxies", "10.0.0.1:1", []string{"10.0.0.3, 10.0.0.2"}, proxies, "10.0.0.3"},
		{"empty", "10.0.0.1:1", []string{""}, proxies, "10.0.0.1"},
		{"empty entries", "10.0.0.1:1", []string{" ,198.51.100.1,, "}, proxies, "198.51.100.1"},
		{"garbage", "10.0.0.1:1", []string{"unknown"}, proxies, "10.0.0.1"},
		{"garbage hides nothing", "10.0.0.1:1", []string{"198.51.100.1, <script>, 10.0.0.2"}, proxies, "10.0.0.2"},
		{"port", "10.0.0.1:1", []string{"198.51.100.1:8080"}, proxies, "198.51.100.1"},
		{"v6", "10.0.0.1:1", []string{"2001:db8::1"}, proxies, "2001:db8::1"},
		{"v6 and port", "10.0.0.1:1", []string{"[2001:db8::1]:8080"}, proxies, "2001:db8::1"},
		{"v6 in brackets", "10.0.0.1:1", []string{"[2001:db8::1]"}, proxies, "2001:db8::1"},
		{"v6 proxy", "[fd00::1]:1", []string{"::ffff:198.51.100.1"}, proxies, "198.51.100.1"},
		{"v6 in brackets, not closed", "10.0.0.1:1", []string{"[2001:db8::1"}, proxies, "10.0.0.1"},
		{"v6 in brackets and more", "10.0.0.1:1", []string{"[2001:db8::1]x"}, proxies, "10.0.0.1"},
		{"v6 and no port", "10.0.0.1:1", []string{"[2001:db8::1]:"}, proxies, "10.0.0.1"},
		{"v4 in brackets", "10.0.0.1:1", []string{"[198.51.100.1]"}, proxies, "10.0.0.1"},
		{"v6 with zone", "10.0.0.1:1", []string{"fe80::1%eth0"}, proxies, "fe80::1"},
		{"proxy with zone", "[fd00::1%eth0]:1", []string{"198.51.100.1"}, proxies, "198.51.100.1"},
		{"port too large", "10.0.0.1:1", []string{"198.51.100.1:65536"}, proxies, "10.0.0.1"},
		{"port of letters", "10.0.0.1:1", []string{"198.51.100.1:http"}, proxies, "10.0.0.1"},
		{"no port", "10.0.0.1:1", []string{"198.51.100.1:"}, proxies, "10.0.0.1"},
		{"mapped and a port", "10.0.0.1:1", []string{"[::ffff:198.51.100.1]:80"}, proxies, "198.51.100.1"},
		{"mapped proxy in the chain", "10.0.0.1:1", []string{"198.51.100.1, ::ffff:10.0.0.2"}, proxies, "198.51.100.1"},
		{"leading zeros", "10.0.0.1:1", []string{"198.051.100.001"}, proxies, "10.0.0.1"},
		{"number", "10.0.0.1:1", []string{"3325256705"}, proxies, "10.0.0.1"},
		{"quoted", "10.0.0.1:1", []string{`"198.51.100.1"`}, proxies, "10.0.0.1"},
		{"whitespace", "10.0.0.1:1", []string{"\t198.51.100.1 \t"}, proxies, "198.51.100.1"},
		{"whitespace inside", "10.0.0.1:1", []string{"198.51.100.1 198.51.100.2"}, proxies, "10.0.0.1"},
		{"empty lines", "10.0.0.1:1", []string{"198.51.100.1", "", " , ,"}, proxies, "198.51.100.1"},
		{"three lines", "10.0.0.1:1", []string{"1.1.1.1", "198.51.100.1", "10.0.0.3, 10.0.0.2"}, proxies, "198.51.100.1"},
		{"long chain", "10.0.0.1:1", []string{"198.51.100.1" + strings.Repeat(", 10.9.9.9", 6000)}, proxies, "198.51.100.1"},
		{"very long entry", "10.0.0.1:1", []string{strings.Repeat("1", 60000)}, proxies, "10.0.0.1"},
		{"obfuscated", "10.0.0.1:1", []string{"198.51.100.1, _hidden"}, proxies, "10.0.0.1"},
		{"unix socket", "@", []string{"198.51.100.1"}, proxies, ""},
		{"nothing", "", nil, proxies, ""},
	} {
		r := &http.Request{RemoteAddr: test.remote, Header: http.Header{"X-Forwarded-For": test.forwarded}}
		got := ClientIP(r, test.trusted)
		want := netip.Addr{}
		if test.want != "" {
			want = netip.MustParseAddr(test.want)
		}
		if got != want {
			t.Errorf("%s: %v, want %v", test.name, got, want)
		}
	}
}

// Only X-Forwarded-For counts, however a caller spells that he is another.
func TestOtherHeadersDoNotCount(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for _, name := range []string{
		"Forwarded", "X-Real-Ip", "X-Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "X-Forwarded", "Forwarded-For",
		"X-Cluster-Client-Ip", "X-Forwarded-Host", "X_forwarded_for", "X-Original-Forwarded-For", "Via",
	} {
		r := &http.Request{RemoteAddr: "10.0.0.1:1", Header: http.Header{name: {"for=198.51.100.1"}, "X-Forwarded-For": {"203.0.113.9"}}}
		if got := ClientIP(r, trusted); got != netip.MustParseAddr("203.0.113.9") {
			t.Errorf("%s: %v", name, got)
		}
		r.Header = http.Header{name: {"198.51.100.1"}}
		if got := ClientIP(r, trusted); got != netip.MustParseAddr("10.0.0.1") {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestClientIPDoesNotAllocate(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, test := range []struct{ remote, forwarded string }{
		{"203.0.113.5:4711", "198.51.100.1"},
		{"[2001:db8::1]:4711", ""},
		{"10.0.0.1:1", "1.1.1.1, 198.51.100.1, 10.0.0.2"},
		{"[fd00::1]:1", "[2001:db8::1]:443"},
		{"10.0.0.1:1", "unknown"},
	} {
		r := &http.Request{RemoteAddr: test.remote, Header: http.Header{"X-Forwarded-For": {test.forwarded}}}
		if n := testing.AllocsPerRun(100, func() { ClientIP(r, trusted) }); n != 0 {
			t.Errorf("%v: %v allocations", test, n)
		}
	}
}

func FuzzClientIP(f *testing.F) {
	f.Add("10.0.0.1:1", "198.51.100.1, 10.0.0.2")
	f.Add("[::ffff:10.0.0.1]:1", "[2001:db8::1]:80,[::1")
	f.Add("@", ",,")
	f.Add("10.0.0.1:1", "198.51.100.1, fe80::1%eth0, 10.0.0.1:99999")
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	f.Fuzz(func(t *testing.T, remote, forwarded string) {
		r := &http.Request{RemoteAddr: remote, Header: http.Header{"X-Forwarded-For": {forwarded}}}
		direct, got := ClientIP(r, nil), ClientIP(r, trusted)
		if got.Is4In6() || got.Zone() != "" {
			t.Fatalf("%v is not plain", got)
		}
		if !iprange.Contains(trusted, direct) && got != direct {
			t.Fatalf("a stranger at %v passes for %v", direct, got)
		}
		// What a caller writes before what our proxy adds changes nothing.
		want := netip.MustParseAddr("198.51.100.7")
		for _, lines := range [][]string{{forwarded + ", 198.51.100.7"}, {forwarded, "198.51.100.7"}} {
			r := &http.Request{RemoteAddr: "10.0.0.1:1", Header: http.Header{"X-Forwarded-For": lines}}
			if got := ClientIP(r, trusted); got != want {
				t.Fatalf("%q makes %v of %v", lines, got, want)
			}
		}
	})
}

func BenchmarkClientIP(b *testing.B) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	r := &http.Request{RemoteAddr: "10.0.0.1:1", Header: http.Header{"X-Forwarded-For": {"1.1.1.1, 198.51.100.1, 10.0.0.2"}}}
	b.ReportAllocs()
	for b.Loop() {
		ClientIP(r, trusted)
	}
}

// parseHop takes exactly what the standard library takes, in brackets or not.
func FuzzParseHop(f *testing.F) {
	for _, seed := range []string{"1.2.3.4", "1.2.3.4:80", "[::1]:80", "[::1]", "::1", "::ffff:1.2.3.4", "fe80::1%a", "[fe80::1%a]:1", "1.2.3.4:+1", "[1.2.3.4]:1", "[::%]]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := parseHop(text)
		if len(text) > maxHop {
			if got.IsValid() {
				t.Fatalf("%q is %v", text, got)
			}
			return
		}
		var want netip.Addr
		if addr, err := netip.ParseAddr(text); err == nil {
			want = addr
		} else if withPort, err := netip.ParseAddrPort(text); err == nil {
			want = withPort.Addr()
		} else if withPort, err := netip.ParseAddrPort(text + ":1"); err == nil && strings.HasPrefix(text, "[") {
			want = withPort.Addr()
		}
		if strings.HasPrefix(text, "[") && strings.Count(text, "]") > 1 {
			want = netip.Addr{} // a zone with a bracket in it: no proxy writes that
		}
		if want = want.Unmap().WithZone(""); got != want {
			t.Fatalf("%q is %v, want %v", text, got, want)
		}
	})
}
