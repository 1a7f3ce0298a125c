package odoorpc

import (
	"context"
	"fmt"
	"net/http"
	"testing"
)

type traceKey struct{}

// Whoever traces hears of every request with its caller's context, also where
// an answer may be shared, and of its end; what it adds to the headers is sent.
func TestTrace(t *testing.T) {
	f := odoo(t, "19.0")
	heard := make(chan string, 10)
	c := f.client(func(o *Options) {
		o.Protocol = "json2"
		o.Trace = func(r *http.Request, model, method string) func(int, string) {
			r.Header.Set("Traceparent", "of "+method)
			about := fmt.Sprint(model, ".", method, " for ", r.Context().Value(traceKey{}))
			return func(status int, failure string) { heard <- fmt.Sprint(about, ": ", status, failure) }
		}
	})
	ctx := context.WithValue(t.Context(), traceKey{}, "ann")
	for _, reads := range []bool{true, false} {
		if _, err := c.Call(ctx, keyOf("ann"), &Request{Model: "res.partner", Method: "read", Reads: reads}); err != nil {
			t.Fatal(err)
		}
		if got, want := <-heard, "res.partner.read for ann: 200"; got != want {
			t.Errorf("reads %v: heard %q, want %q", reads, got, want)
		}
		if got := f.requests[len(f.requests)-1].Header.Get("Traceparent"); got != "of read" {
			t.Errorf("sent %q", got)
		}
	}
	f.first = func(http.ResponseWriter, *http.Request, []byte) bool { panic(http.ErrAbortHandler) }
	if _, err := c.Call(ctx, keyOf("ann"), &Request{Model: "res.partner", Method: "write"}); err == nil {
		t.Fatal("no error")
	}
	if got, want := <-heard, "res.partner.write for ann: 0bad_gateway"; got != want {
		t.Errorf("heard %q, want %q", got, want)
	}
}

// A read that is traced still outlives the caller who leaves, and not the client.
func TestTracedReadsEndWithTheClient(t *testing.T) {
	f := odoo(t, "19.0")
	arrived, goOn := held(t, f)
	defer close(goOn)
	c := f.client(func(o *Options) {
		o.Protocol = "json2"
		o.Trace = func(*http.Request, string, string) func(int, string) { return func(int, string) {} }
	})
	done := make(chan error, 1)
	go func() {
		_, err := c.Call(t.Context(), keyOf("ann"), &Request{Model: "m", Method: "read", Reads: true})
		done <- err
	}()
	<-arrived
	c.Close()
	if err := <-done; err == nil {
		t.Error("a call of a closed client was answered")
	}
}
