package odoorpc

import (
	"context"
	"encoding/json"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"gatehouse/internal/odoowire"
)

// held is a fake whose methods wait until they are let go.
func held(t *testing.T, f *fakeOdoo) (arrived chan string, goOn chan struct{}) {
	t.Helper()
	arrived, goOn = make(chan string, 100), make(chan struct{})
	var serial atomic.Int64
	f.do = func(_ int64, _, method string, _ []any, _ map[string]any) (any, *odoowire.Error) {
		n := serial.Add(1)
		arrived <- method
		<-goOn
		return n, nil
	}
	return arrived, goOn
}

// joined waits until so many callers share the only flight.
func joined(c *Client, callers int) {
	for n := 0; n < callers; runtime.Gosched() {
		c.flights.mu.Lock()
		for _, f := range c.flights.all {
			n = f.callers
		}
		c.flights.mu.Unlock()
	}
}

func TestSameReadsShare(t *testing.T) {
	f := odoo(t, "19.0")
	arrived, goOn := held(t, f)
	c := f.client(func(o *Options) { o.Protocol = "json2" })
	r := func() *Request {
		return &Request{Model: "m", Method: "read", Reads: true, Kwargs: map[string]any{"b": 1, "a": []any{"x"}}}
	}
	var wg sync.WaitGroup
	answers := make(chan string, 100)
	call := func(ctx context.Context, a *Account, r *Request) {
		wg.Go(func() {
			text, err := c.Call(ctx, a, r)
			if err != nil {
				text = json.RawMessage(err.Error())
			}
			answers <- string(text)
		})
	}
	leaving, leave := context.WithCancel(t.Context())
	call(leaving, keyOf("ann"), r())
	<-arrived
	for range 5 {
		call(t.Context(), keyOf("ann"), r())
	}
	joined(c, 6)
	leave() // the one that began it
	if got := <-answers; !strings.Contains(got, "given up") {
		t.Errorf("the one that left: %s", got)
	}
	goOn <- struct{}{}
	wg.Wait()
	for range 5 {
		if got := <-answers; got != "1" {
			t.Errorf("answer %s", got)
		}
	}
	if n := f.counted()["/json/2/m/read"]; n != 1 {
		t.Errorf("%d requests", n)
	}
	if n := c.Stats().Shared; n != 5 {
		t.Errorf("%d shared", n)
	}
}

// TestOthersDoNotShare: who asks as somebody else, for something else, or for a
// change, is answered by himself.
func TestOthersDoNotShare(t *testing.T) {
	f := odoo(t, "19.0")
	f.users["eve"] = fakeUser{uid: 10, password: "pw-ann", key: "key-eve"} // Ann's password, by chance
	arrived, goOn := held(t, f)
	c := f.client(nil)
	sessions := map[string]*Account{}
	for _, login := range []string{"ann", "bob"} {
		begun, err := c.Authenticate(t.Context(), login, "pw-"+login, nobody)
		if err != nil {
			t.Fatal(err)
		}
		sessions[login] = &Account{Session: begun.Session}
	}
	read := Request{Model: "m", Method: "read", Kwargs: map[string]any{"a": 1}, Reads: true}
	other := func(change func(r *Request)) Request { r := read; change(&r); return r }
	calls := []struct {
		account *Account
		request Request
	}{
		{keyOf("ann"), read},
		{keyOf("bob"), read},
		{sessions["ann"], read},
		{sessions["bob"], read},
		{passwordOf("ann"), read},
		{&Account{Login: "eve", Secret: "pw-ann", Password: true}, read},
		{keyOf("ann"), other(func(r *Request) { r.Model = "n" })},
		{keyOf("ann"), other(func(r *Request) { r.Method = "search_read" })},
		{keyOf("ann"), other(func(r *Request) { r.Kwargs = map[string]any{"a": 2} })},
		{keyOf("ann"), other(func(r *Request) { r.IDs = []int64{1} })},
		{keyOf("ann"), other(func(r *Request) { r.Reads = false })},
		{keyOf("ann"), other(func(r *Request) { r.Reads = false })},
	}
	c.gate.max = len(calls) + 1
	var wg sync.WaitGroup
	for _, call := range calls {
		wg.Go(func() {
			if _, err := c.Call(context.Background(), call.account, &call.request); err != nil {
				t.Error(err)
			}
		})
		<-arrived // all are under way at once: none was answered with another's
	}
	close(goOn)
	wg.Wait()
	if n := c.Stats().Shared; n != 0 {
		t.Errorf("%d shared", n)
	}
}

// TestReadYourWrites: a read that begins after a change has been answered does
// not share one that began before.
func TestReadYourWrites(t *testing.T) {
	f := odoo(t, "19.0")
	arrived, goOn := held(t, f)
	c := f.client(func(o *Options) { o.Protocol = "json2" })
	read := &Request{Model: "m", Method: "read", Reads: true}
	answers := make(chan string, 10)
	call := func(r *Request) {
		go func() {
			text, err := c.Call(context.Background(), keyOf("ann"), r)
			if err != nil {
				t.Error(err)
			}
			answers <- string(text)
		}()
		<-arrived
	}
	f.do = func(_ int64, _, method string, _ []any, _ map[string]any) (any, *odoowire.Error) {
		if method == "write" {
			return true, nil
		}
		arrived <- method
		<-goOn
		return method, nil
	}
	call(read)
	if _, err := c.Call(t.Context(), keyOf("ann"), &Request{Model: "m", Method: "write"}); err != nil {
		t.Error(err)
	}
	call(read) // arrives: it is a request of its own
	goOn <- struct{}{}
	goOn <- struct{}{}
	<-answers
	<-answers
	if n := c.Stats().Shared; n != 0 {
		t.Errorf("%d shared", n)
	}
}

// TestNobodyWaits: a read that all have left is given up, and not joined.
func TestNobodyWaits(t *testing.T) {
	f := odoo(t, "19.0")
	arrived, goOn := held(t, f)
	c := f.client(func(o *Options) { o.Protocol = "json2" })
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		_, err := c.Call(ctx, keyOf("ann"), &Request{Model: "m", Method: "read", Reads: true})
		left <- err
	}()
	<-arrived
	cancel()
	if err := <-left; err == nil {
		t.Error("an answer")
	}
	c.flights.mu.Lock()
	if len(c.flights.all) != 0 {
		t.Errorf("%d flights are left", len(c.flights.all))
	}
	c.flights.mu.Unlock()
	close(goOn)
	if _, err := c.Call(t.Context(), keyOf("ann"), &Request{Model: "m", Method: "read", Reads: true}); err != nil {
		t.Error(err)
	}
}
