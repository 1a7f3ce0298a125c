package odoorpc

import (
	"context"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/clock"
	"gatehouse/internal/fault"
)

func TestOptions(t *testing.T) {
	for _, test := range []struct {
		o    Options
		says string // "" is fine
	}{
		{Options{URL: "https://erp.example.com"}, ""},
		{Options{URL: " http://[::1]:8069/odoo/ "}, ""},
		{Options{URL: "https://erp.example.com", Protocol: "json2"}, ""},
		{Options{URL: ""}, "https://"},
		{Options{URL: "erp.example.com"}, "https://"},
		{Options{URL: "ftp://erp.example.com"}, "https://"},
		{Options{URL: "https://"}, "no host"},
		{Options{URL: "https://:8069"}, "no host"},
		{Options{URL: "https://ann:secret@erp.example.com"}, "password"},
		{Options{URL: "https://ann:secret@erp.example.com:x"}, "cannot be read"},
		{Options{URL: "https://erp.example.com/?db=x"}, "query"},
		{Options{URL: "https://erp.example.com/?"}, "query"},
		{Options{URL: "https://erp.example.com/#x"}, "fragment"},
		{Options{URL: "https://erp.example.com/a/../b"}, ".."},
		{Options{URL: "https://erp.example.com", Protocol: "soap"}, `"soap"`},
		{Options{URL: "https://erp.example.com", Database: "a\r\nb"}, "control"},
	} {
		c, err := New(test.o)
		switch {
		case err == nil:
			c.Close()
			if test.says != "" {
				t.Errorf("%+v: taken", test.o)
			}
		case test.says == "" || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "secret"):
			t.Errorf("%+v: %v", test.o, err)
		}
	}
}

func TestPathPrefix(t *testing.T) {
	f := odoo(t, "19.0")
	f.first = func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		if !strings.HasPrefix(r.URL.Path, "/erp/") {
			t.Errorf("asked for %s", r.URL.Path)
		}
		r.URL.Path = strings.TrimPrefix(r.URL.Path, "/erp")
		return false
	}
	c := f.client(func(o *Options) { o.URL += "/erp/" })
	mustCall(t, c, keyOf("ann"), &Request{Model: "m", Method: "x"})
}

func TestParseVersion(t *testing.T) {
	for text, want := range map[string]int{
		`{"version": "19.0"}`: 19, `{"server_version": "18.0"}`: 18, `{"server_version": "saas~18.2"}`: 18, `{"version": "saas-19.1+e"}`: 19,
		`{"server_version": "17.0-20240610"}`: 17, `{"server_version": "14.0+e"}`: 14, `{"server_version": "19.0alpha1"}`: 19,
		`{}`: 0, `[]`: 0, `"19.0"`: 0, `{"version": 19}`: 0, `{"version": "next"}`: 0, `{"version": ""}`: 0, `{"version": "master"}`: 0,
	} {
		if v, ok := parseVersion([]byte(text)); v.Major != want || ok != (want > 0) {
			t.Errorf("%s: %+v %v", text, v, ok)
		}
	}
}

// TestVersionIsKept, and asked for again when it is old: Odoos are upgraded.
func TestVersionIsKept(t *testing.T) {
	f := odoo(t, "18.0")
	at := clock.NewMoving(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))
	c := f.client(func(o *Options) { o.Clock = at })
	for range 3 {
		if v, err := c.Version(t.Context()); err != nil || v.Major != 18 || v.Text != "18.0" {
			t.Errorf("%+v %v", v, err)
		}
	}
	if n := f.counted(); n["/web/version"] != 1 || n["/web/webclient/version_info"] != 1 {
		t.Errorf("asked %v", n)
	}
	// An old one is better than none: the new one is asked for beside.
	f.version = "19.0"
	at.Pass(versionLasts + time.Second)
	for v, err := c.Version(t.Context()); v.Major != 19; v, err = c.Version(t.Context()) {
		if err != nil || v.Major != 18 {
			t.Fatalf("%+v %v", v, err)
		}
		runtime.Gosched()
	}
	f.forget()
	f.first = func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
		w.WriteHeader(http.StatusBadGateway)
		return true
	}
	for _, pause := range []time.Duration{versionLasts + time.Second, versionRetry - time.Second, 2 * time.Second} {
		at.Pass(pause)
		for range 3 {
			if v, err := c.Version(t.Context()); err != nil || v.Major != 19 {
				t.Errorf("%+v %v", v, err)
			}
		}
		for asking := true; asking; runtime.Gosched() {
			c.version.mu.Lock()
			asking = c.version.asking
			c.version.mu.Unlock()
		}
	}
	if n := f.counted()["/jsonrpc"]; n != 2 {
		t.Errorf("asked %d times while the Odoo was away", n)
	}
	if _, err := f.client(nil).Version(t.Context()); !fault.Is(err, fault.BadGateway) {
		t.Errorf("%v", err)
	}
}

func TestReady(t *testing.T) {
	f := odoo(t, "18.0")
	at := clock.NewMoving(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))
	c := f.client(func(o *Options) { o.Clock = at })
	if err := c.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.forget()
	for range 5 {
		if err := c.Ready(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if n := f.counted(); len(n) > 0 {
		t.Errorf("asked again: %v", n)
	}
	f.first = func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
		w.WriteHeader(http.StatusBadGateway)
		return true
	}
	at.Pass(2 * readyLasts)
	if err := c.Ready(t.Context()); !fault.Is(err, fault.BadGateway) {
		t.Errorf("%v", err)
	}
	f.first = nil
	at.Pass(2 * readyLasts)
	if err := c.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	if n := f.counted(); n["/web/webclient/version_info"] != 2 {
		t.Errorf("asked %v", n)
	}
}

// TestReadyBesideTheQueue: an Odoo all of whose places are taken is ready.
func TestReadyBesideTheQueue(t *testing.T) {
	f := odoo(t, "19.0")
	arrived, goOn := held(t, f)
	c := f.client(func(o *Options) { o.MaxConns, o.Protocol = 1, "json2" })
	if _, err := c.Version(t.Context()); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		_, err := c.Call(context.Background(), keyOf("ann"), &Request{Model: "m", Method: "x"})
		done <- err
	}()
	<-arrived
	if err := c.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	close(goOn)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
