package trace

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
)

const (
	goodTrace  = "4bf92f3577b34da6a3ce929d0e0e4736"
	goodSpan   = "00f067aa0ba902b7"
	goodParent = "00-" + goodTrace + "-" + goodSpan + "-01"
)

func TestParseParent(t *testing.T) {
	for text, sampled := range map[string]bool{
		goodParent: true,
		"00-" + goodTrace + "-" + goodSpan + "-00":            false,
		"00-" + goodTrace + "-" + goodSpan + "-02":            false, // random, not sampled
		"00-" + goodTrace + "-" + goodSpan + "-03":            true,
		"cc-" + goodTrace + "-" + goodSpan + "-01":            true, // of a later version
		"cc-" + goodTrace + "-" + goodSpan + "-01-what-comes": true,
	} {
		p, ok := parseParent(text)
		if !ok || p.Trace.String() != goodTrace || p.Span.String() != goodSpan || p.Sampled != sampled {
			t.Errorf("%s: %+v %v", text, p, ok)
		}
	}
	for _, text := range []string{
		"", "00", goodParent + "-", goodParent + "-01", goodParent + " ", " " + goodParent, goodParent[:54],
		"ff" + goodParent[2:], "0x" + goodParent[2:], "cc" + goodParent[2:] + "01", strings.ToUpper(goodParent),
		"00-" + strings.Repeat("0", 32) + "-" + goodSpan + "-01", "00-" + goodTrace + "-" + strings.Repeat("0", 16) + "-01",
		"00-" + goodTrace + "-" + goodSpan + "-0g", "00-" + goodTrace + "_" + goodSpan + "-01", "0A" + goodParent[2:],
	} {
		if p, ok := parseParent(text); ok {
			t.Errorf("%q was taken: %+v", text, p)
		}
	}
}

func TestParseState(t *testing.T) {
	for _, right := range []string{"a=1", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "fw529a3039@dt=FfAz,a=b", "a=1, b=2", "a=1,,b=2", "0a=x y"} {
		if got := parseState([]string{right}); got != right {
			t.Errorf("%q became %q", right, got)
		}
	}
	if got := parseState([]string{"a=1", "b=2"}); got != "a=1,b=2" {
		t.Errorf("two lines became %q", got)
	}
	members := make([]string, maxMembers+1)
	for i := range members {
		members[i] = "k" + strings.Repeat("x", i) + "=1"
	}
	for _, wrong := range []string{
		"", ",", "a", "=1", "a=", "A=1", "a=1,a=2", "a=b=c", "a=ü", "a=1\r\nX-Evil: 1", "a@b@c=1", "a=" + strings.Repeat("x", 257),
		strings.Repeat("a", maxState) + "=1", strings.Join(members, ","),
	} {
		if got := parseState([]string{wrong}); got != "" {
			t.Errorf("%q was taken: %q", wrong, got)
		}
	}
}

func begin(s Sampler, h ...string) Place {
	header := http.Header{}
	for i := 0; i < len(h); i += 2 {
		header.Add(h[i], h[i+1])
	}
	return (&Tracer{sampler: s}).Begin(header)
}

func TestBegin(t *testing.T) {
	all := Sampler{Ratio: 1}
	p := begin(all, "traceparent", goodParent, "tracestate", "a=1")
	if p.Trace.String() != goodTrace || p.Parent.String() != goodSpan || p.Span == p.Parent || p.Span == (SpanID{}) || !p.Sampled || !p.Remote || p.State != "a=1" {
		t.Errorf("continued as %+v", p)
	}
	if p := begin(all, "traceparent", goodParent, "tracestate", "A"); p.Trace.String() != goodTrace || p.State != "" {
		t.Errorf("a bad tracestate: %+v", p)
	}
	for name, p := range map[string]Place{
		"no parent":   begin(all),
		"a bad one":   begin(all, "traceparent", "00-"+goodTrace+"-"+goodSpan+"-1", "tracestate", "a=1"),
		"two of them": begin(all, "traceparent", goodParent, "traceparent", goodParent),
	} {
		if p.Trace == (ID{}) || p.Trace.String() == goodTrace || p.Parent != (SpanID{}) || p.Remote || p.State != "" || !p.Sampled {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestSampler(t *testing.T) {
	not := goodParent[:53] + "00"
	for _, test := range []struct {
		s      Sampler
		parent string
		want   bool
	}{
		{Sampler{Ratio: 1}, "", true},
		{Sampler{Ratio: 0}, "", false},
		{Sampler{Ratio: 0}, goodParent, true},
		{Sampler{Ratio: 1}, not, false},
		{Sampler{Ratio: 0, Alone: true}, goodParent, false},
		{Sampler{Ratio: 1, Alone: true}, not, true},
	} {
		if got := begin(test.s, "traceparent", test.parent).Sampled; got != test.want {
			t.Errorf("%+v of %q: %v", test.s, test.parent, got)
		}
	}
	kept := 0
	for range 10_000 {
		if begin(Sampler{Ratio: 0.25}).Sampled {
			kept++
		}
	}
	if kept < 2200 || kept > 2800 { // 7 standard deviations
		t.Errorf("of 10000 at 0.25 %d are kept", kept)
	}
	high, low := ID{8: 0xff}, ID{8: 0x10} // decided by the id, as others do
	if s := (Sampler{Ratio: 0.25}); s.sample(high, nil) || !s.sample(low, nil) {
		t.Error("the id does not decide")
	}
}

func TestInject(t *testing.T) {
	h := http.Header{}
	p := begin(Sampler{Ratio: 1}, "traceparent", goodParent, "tracestate", "a=1")
	p.Inject(h)
	back, ok := extract(h)
	if !ok || back.Trace != p.Trace || back.Span != p.Span || !back.Sampled || back.State != "a=1" {
		t.Errorf("%v is read as %+v", h, back)
	}
	p.Sampled = false
	p.Inject(h)
	if back, _ := extract(h); back.Sampled {
		t.Errorf("%v says that it is sampled", h)
	}
}

func TestLogHandler(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(LogHandler{slog.NewTextHandler(&out, nil)}).With("a", 1)
	log.Info("outside")
	if strings.Contains(out.String(), "trace_id") {
		t.Errorf("%s", &out)
	}
	p := begin(Sampler{}, "traceparent", goodParent)
	log.InfoContext(With(context.Background(), p), "inside")
	if !strings.Contains(out.String(), "trace_id="+goodTrace+" span_id="+p.Span.String()) {
		t.Errorf("%s", &out)
	}
}

func FuzzParseParent(f *testing.F) {
	f.Add(goodParent, "a=1")
	f.Add("cc"+goodParent[2:]+"-x", "rojo=1,congo=2")
	f.Fuzz(func(t *testing.T, parent, state string) {
		h := http.Header{"Traceparent": {parent}, "Tracestate": {state}}
		p, ok := extract(h)
		if !ok {
			return
		}
		out := http.Header{}
		p.Inject(out)
		if back, ok := extract(out); !ok || back.Trace != p.Trace || back.Span != p.Span || back.State != p.State || back.Sampled != p.Sampled {
			t.Errorf("%q %q went out as %v", parent, state, out)
		}
	})
}
