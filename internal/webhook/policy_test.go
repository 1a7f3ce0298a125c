package webhook

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/fault"
)

func TestGuard(t *testing.T) {
	g := Guard{Allow: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00:1::/32")}}
	for text, want := range map[string]bool{
		"93.184.216.34": true, "8.8.8.8": true, "2606:4700::1111": true, "::ffff:8.8.8.8": true, "64:ff9b::808:808": true,
		"10.1.2.3": true, "::ffff:10.1.2.3": true, "fd00:1::7": true, "172.32.0.1": true, "100.128.0.1": true,

		"127.0.0.1": false, "127.8.9.1": false, "::1": false, "::ffff:127.0.0.1": false, "64:ff9b::7f00:1": false,
		"10.2.0.1": false, "172.16.0.1": false, "172.31.255.255": false, "192.168.1.1": false, "fd00:2::1": false, "fc00::1": false,
		"169.254.169.254": false, "64:ff9b::a9fe:a9fe": false, "fe80::1": false, "fe80::1%eth0": false,
		"100.64.0.1": false, "100.127.255.255": false, "0.0.0.0": false, "::": false, "224.0.0.1": false, "ff02::1": false,
		"255.255.255.255": false, "240.0.0.1": false, "192.0.0.192": false, "198.18.0.1": false, "203.0.113.7": false,
		"2001:db8::1": false, "2002:7f00:1::": false, "2001::1": false, "64:ff9b:1::a00:1": false, "::7f00:1": false, "3fff::1": false,
		"fec0::1": false, "fd00:ec2::254": false,
	} {
		if got := g.Permits(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	if g.Permits(netip.Addr{}) {
		t.Error("no address at all")
	}
	for _, address := range []string{"127.0.0.1:80", "[::1]:80", "[fe80::1%1]:80", "nonsense", ""} {
		if g.control("tcp", address, nil) == nil {
			t.Errorf("%q may be dialled", address)
		}
	}
}

// A name that leads to a forbidden address is refused when it is dialled,
// whatever it led to before.
func TestGuardSeesTheResolvedAddress(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost:1/", nil)
	if err != nil {
		t.Fatal(err)
	}
	client := newClient(Guard{})
	res, err := client.Do(req)
	if err == nil {
		_ = res.Body.Close()
	}
	if err == nil || !strings.Contains(reason(err, ctx, time.Second), "not public") {
		t.Errorf("%v", err)
	}
}

func TestCheckURL(t *testing.T) {
	g := Guard{Allow: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}}
	for _, good := range []string{"https://example.com/hook?token=1", "http://93.184.216.34:8080", "https://10.1.2.3/x", "https://[2606:4700::1111]/"} {
		if err := g.CheckURL(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for bad, why := range map[string]string{
		"": "begin with", "ftp://example.com": "begin with", "example.com/hook": "begin with", "//example.com": "begin with",
		"https://": "no host", "https:///path": "no host", "https://:443/": "no host", "https://user:secret@example.com": "user or password",
		"https://example.com/#x": "fragment", "http://127.0.0.1/": "not call", "http://[::1]/": "not call", "http://localhost:8069/": "not call",
		"http://LOCALHOST./": "not call", "http://a.localhost/": "not call", "http://169.254.169.254/latest": "not call", "http://[::ffff:10.2.0.1]/": "not call",
		"https://example.com/" + strings.Repeat("x", 2048): "longer", "http://exa mple.com/": "read", "http://[::1": "read", "javascript:alert(1)": "begin with",
		"http://[fe80::1%25eth0]/": "not call",
	} {
		err := g.CheckURL(bad)
		if !fault.Is(err, fault.BadRequest) || !strings.Contains(fault.From(err).Message, why) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%.60s: %v, want %s", bad, err, why)
		}
	}
}

func FuzzCheckURL(f *testing.F) {
	for _, seed := range []string{"https://example.com", "http://127.1/", "http://[::1%25x]:80/", "http://a@b", "http://0x7f.1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if err := (Guard{}).CheckURL(text); err != nil && !fault.Is(err, fault.BadRequest) {
			t.Fatal(err)
		} else if err == nil && !strings.HasPrefix(strings.ToLower(text), "http") {
			t.Fatalf("%q was taken", text)
		}
	})
}

func TestBackoff(t *testing.T) {
	total := time.Duration(0)
	for n, want := range []time.Duration{
		1: 10 * time.Second, 2: 30 * time.Second, 3: 90 * time.Second, 4: 270 * time.Second, 5: 810 * time.Second,
		9: 65610 * time.Second, 10: 24 * time.Hour, 11: 24 * time.Hour, 1000: 24 * time.Hour,
	} {
		if got := Backoff(n); want != 0 && got != want {
			t.Errorf("after %d attempts %s, want %s", n, got, want)
		}
	}
	for n := 1; n < MaxAttempts; n++ {
		total += Backoff(n)
	}
	if days := total.Hours() / 24; days < 2.5 || days > 3.5 {
		t.Errorf("a job is tried for %.1f days", days)
	}
	if Backoff(0) != firstPause || Backoff(-1) != firstPause {
		t.Error("no attempts")
	}
	for share, want := range map[float64]time.Duration{0: 8 * time.Second, 0.5: 10 * time.Second, 1: 12 * time.Second} {
		if got := jittered(10*time.Second, share); got != want {
			t.Errorf("jitter of %g: %s", share, got)
		}
	}
	if got := pauseFor(Backoff, 1, time.Hour); got != time.Hour {
		t.Errorf("asked for an hour: %s", got)
	}
	if got := pauseFor(Backoff, 1, 1000*time.Hour); got != maxAsked {
		t.Errorf("asked for weeks: %s", got)
	}
	if got := pauseFor(Backoff, 2, time.Second); got < 24*time.Second || got > 36*time.Second {
		t.Errorf("asked for less than the backoff: %s", got)
	}
}

// Whatever is drawn, a pause is within a fifth of the backoff, and the draws
// differ: what failed together does not come back together.
func TestJitter(t *testing.T) {
	for attempts := 1; attempts < MaxAttempts; attempts++ {
		plain := Backoff(attempts)
		least, most := plain*2, time.Duration(0)
		for range 2000 {
			got := pauseFor(Backoff, attempts, 0)
			if got < plain*8/10 || got > plain*12/10 {
				t.Fatalf("after %d attempts %s, of %s", attempts, got, plain)
			}
			least, most = min(least, got), max(most, got)
		}
		if least > plain*85/100 || most < plain*115/100 {
			t.Errorf("after %d attempts between %s and %s, of %s", attempts, least, most, plain)
		}
	}
}

func TestOpenFor(t *testing.T) {
	for before, want := range map[time.Duration]time.Duration{
		0: firstOpen, time.Second: firstOpen, firstOpen: 2 * firstOpen, maxOpen: maxOpen, 4 * time.Minute: maxOpen,
	} {
		if got := openFor(before); got != want {
			t.Errorf("after %s: %s, want %s", before, got, want)
		}
	}
}

func TestJudge(t *testing.T) {
	for _, test := range []struct {
		action   string
		attempts int
		status   int
		want     string
	}{
		{"write", 1, 200, Done},
		{"write", 1, 299, Done},
		{"write", 1, 307, Failed},
		{"write", 1, 404, Failed},
		{"write", 11, 500, Failed},
		{"write", 12, 500, Dead},
		{"write", 12, 204, Done},
		{"write", 1, 410, Dead},
		{"write", 1, 0, Failed},
		{"test", 1, 500, Dead},
		{"test", 1, 200, Done},
	} {
		o := &outcome{status: test.status}
		if test.status < 200 || test.status > 299 {
			o.err = "no"
		}
		v := judge(test.action, test.attempts, o, Backoff)
		if v.state != test.want || v.gone != (test.status == 410) || (v.pause > 0) != (v.state == Failed) {
			t.Errorf("%+v: %+v", test, v)
		}
	}
}

// The example of the specification of Standard Webhooks.
func TestSignature(t *testing.T) {
	at := time.Unix(1614265330, 0)
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	got, err := signature([]string{secret}, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, []byte(`{"test": 2432232314}`))
	if err != nil || got != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Errorf("%q, %v", got, err)
	}
	both, err := signature([]string{NewSecret(), secret}, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, []byte(`{"test": 2432232314}`))
	if err != nil || !strings.HasSuffix(both, " "+got) {
		t.Errorf("%q, %v", both, err)
	}
	for _, bad := range []string{"", "whsec_", "whsec_*"} {
		if s, err := signature([]string{bad}, "m", at, nil); err == nil || strings.Contains(err.Error(), "*") {
			t.Errorf("%q signs: %q, %v", bad, s, err)
		}
	}
	if a, b := NewSecret(), NewSecret(); a == b || len(a) != len("whsec_")+44 {
		t.Errorf("secrets %d long", len(a))
	}
}

func TestRetryAfterHeader(t *testing.T) {
	now := time.Date(2026, 1, 31, 10, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		text   string
		status int
		want   time.Duration
	}{
		{"120", 429, 2 * time.Minute},
		{" 1 ", 503, time.Second},
		{"0", 429, 0},
		{"120", 500, 0},
		{"-1", 429, 0},
		{"1.5", 429, 0},
		{"", 429, 0},
		{"Sat, 31 Jan 2026 10:01:00 GMT", 503, time.Minute},
		{"Sat, 31 Jan 2026 09:00:00 GMT", 503, 0},
		{"Sat, 31 Jan 2099 09:00:00 GMT", 503, maxAsked},
		{"99999999999999999999", 429, 0},
		{"soon", 429, 0},
	} {
		if got := retryAfter(test.text, test.status, now); got != test.want {
			t.Errorf("%+v: %s", test, got)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("120")
	f.Add("Sat, 31 Jan 2026 10:01:00 GMT")
	f.Fuzz(func(t *testing.T, text string) {
		if got := retryAfter(text, 429, time.Now()); got < 0 {
			t.Fatal(got)
		}
	})
}
