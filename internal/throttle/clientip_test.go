package throttle

import (
	"net/http"
	"net/netip"
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

func FuzzClientIP(f *testing.F) {
	f.Add("10.0.0.1:1", "198.51.100.1, 10.0.0.2")
	f.Add("[::ffff:10.0.0.1]:1", "[2001:db8::1]:80,[::1")
	f.Add("@", ",,")
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
