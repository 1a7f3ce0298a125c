package odoorpc

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/internal/fault"
)

// hostile is a server without manners: script has a connection of its own for
// each request, and what is read of it already.
type hostile struct {
	url      string
	requests atomic.Int64
}

func newHostile(t testing.TB, script func(conn net.Conn, gone <-chan struct{})) *hostile {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &hostile{url: "http://" + listener.Addr().String()}
	gone := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				r, err := http.ReadRequest(bufio.NewReader(conn))
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, r.Body)
				h.requests.Add(1)
				script(conn, gone)
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		close(gone)
		wg.Wait()
	})
	return h
}

func page(status, headers, body string) string {
	return "HTTP/1.1 " + status + "\r\n" + headers + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body)) + body
}

const (
	htmlHead = "Content-Type: text/html; charset=utf-8\r\n"
	jsonHead = "Content-Type: application/json\r\n"
)

func saying(text string) func(net.Conn, <-chan struct{}) {
	return func(conn net.Conn, _ <-chan struct{}) { _, _ = io.WriteString(conn, text) }
}

// thenHang says something, and then nothing more.
func thenHang(text string) func(net.Conn, <-chan struct{}) {
	return func(conn net.Conn, gone <-chan struct{}) {
		_, _ = io.WriteString(conn, text)
		<-gone
	}
}

// forever says the same again and again.
func forever(head, text string, pause time.Duration) func(net.Conn, <-chan struct{}) {
	return func(conn net.Conn, gone <-chan struct{}) {
		_, err := io.WriteString(conn, head)
		for err == nil {
			_, err = io.WriteString(conn, text)
			if pause > 0 {
				select {
				case <-gone:
					return
				case <-time.After(pause):
				}
			}
		}
	}
}

func reset(conn net.Conn, _ <-chan struct{}) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
}

func bomb(conn net.Conn, _ <-chan struct{}) {
	_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"+jsonHead+"Connection: close\r\n\r\n")
	w := gzip.NewWriter(conn)
	zeros := make([]byte, 1<<20)
	for range 2000 {
		if _, err := w.Write(zeros); err != nil {
			return
		}
	}
}

var hostileCases = []struct {
	name   string
	script func(net.Conn, <-chan struct{})
	kind   fault.Kind
	says   string
	again  bool // a read is made again
}{
	{"hangs before the headers", thenHang(""), fault.GatewayTimeout, "within", false},
	{"hangs in the headers", thenHang("HTTP/1.1 200 OK\r\nContent-Ty"), fault.GatewayTimeout, "within", false},
	{"hangs before the body", thenHang("HTTP/1.1 200 OK\r\n" + jsonHead + "Content-Length: 5\r\n\r\n"), fault.GatewayTimeout, "within", false},
	{"hangs in the body", thenHang("HTTP/1.1 200 OK\r\n" + jsonHead + "Content-Length: 5\r\n\r\ntr"), fault.GatewayTimeout, "within", false},
	{"drips", forever("HTTP/1.1 200 OK\r\n"+jsonHead+"Content-Length: 500\r\n\r\n", " ", 10*time.Millisecond), fault.GatewayTimeout, "within", false},
	{"hangs up", saying(""), fault.BadGateway, "broke", true},
	{"resets", reset, fault.BadGateway, "broke", true},
	{"half an answer", saying("HTTP/1.1 200 OK\r\n" + jsonHead + "Content-Length: 500\r\n\r\n[1, 2"), fault.BadGateway, "broke", true},
	{"half a chunk", saying("HTTP/1.1 200 OK\r\n" + jsonHead + "Transfer-Encoding: chunked\r\n\r\n100\r\n[1, 2"), fault.BadGateway, "broke", true},
	{"no HTTP", saying("SSH-2.0-OpenSSH_9.2\r\n"), fault.BadGateway, "broke", true},
	{"endless headers", forever("HTTP/1.1 200 OK\r\n", "X-A: "+strings.Repeat("a", 4096)+"\r\n", 0), fault.BadGateway, "broke", true},
	{"endless body", forever("HTTP/1.1 200 OK\r\n"+jsonHead+"\r\n[", strings.Repeat("1,", 32<<10), 0), fault.BadGateway, "MiB", false},
	{"a body that says it is large", saying("HTTP/1.1 200 OK\r\n" + jsonHead + "Content-Length: 999999999999\r\n\r\n"), fault.BadGateway, "MiB", false},
	{"gzip bomb", bomb, fault.BadGateway, "MiB", false},
	{"broken gzip", saying(page("200 OK", jsonHead+"Content-Encoding: gzip\r\n", "not gzip")), fault.BadGateway, "broke", true},
	{"bad JSON", saying(page("200 OK", jsonHead, `[1, 2`)), fault.BadGateway, "could not be read", false},
	{"two JSON values", saying(page("200 OK", jsonHead, `1 2`)), fault.BadGateway, "could not be read", false},
	{"nothing", saying(page("200 OK", jsonHead, "")), fault.BadGateway, "could not be read", false},
	{"not a number", saying(page("200 OK", jsonHead, `[NaN]`)), fault.BadGateway, "could not be read", false},
	{"deep JSON", saying(page("200 OK", jsonHead, strings.Repeat("[", 100_000))), fault.BadGateway, "could not be read", false},
	{"204", saying("HTTP/1.1 204 No Content\r\n\r\n"), fault.BadGateway, "could not be read", false},
	{"a page", saying(page("200 OK", htmlHead, "<html>Welcome")), fault.BadGateway, "web page", false},
	{"a long page", saying(page("200 OK", htmlHead, strings.Repeat("<p>Welcome", 100_000))), fault.BadGateway, "web page", false},
	{"a page 404", saying(page("404 Not Found", htmlHead, "<html>secret-word")), fault.BadGateway, "database", false},
	{"a page 401", saying(page("401 Unauthorized", htmlHead, "<html>Log in to the proxy")), fault.BadGateway, "web page", false},
	{"a page 502", saying(page("502 Bad Gateway", htmlHead, "<html>nginx")), fault.BadGateway, "does not reach", false},
	{"a page 504", saying(page("504 Gateway Time-out", htmlHead, "<html>nginx")), fault.GatewayTimeout, "proxy", false},
	{"a page 413", saying(page("413 Payload Too Large", htmlHead, "<html>nginx")), fault.TooLarge, "larger", false},
	{"a page 500", saying(page("500 Internal Server Error", htmlHead, "<html>secret-word")), fault.BadGateway, "web page", false},
	{"JSON 500 that is no error", saying(page("500 Internal Server Error", jsonHead, `{"secret-word": 1}`)), fault.BadGateway, "could not be read", false},
	{"redirect", saying(page("302 Found", "Location: https://elsewhere.example/login?token=secret-word\r\n", "")), fault.BadGateway, "https://elsewhere.example:", false},
	{"redirect within", saying(page("308 Permanent Redirect", "Location: /odoo/json/2\r\n", "")), fault.BadGateway, "another page", false},
	{"redirect to nonsense", saying(page("301 Moved", "Location: ::%zz\r\n", "")), fault.BadGateway, "another page", false},
}

func TestHostile(t *testing.T) {
	for _, test := range hostileCases {
		for _, reads := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, read %v", test.name, reads), func(t *testing.T) {
				h := newHostile(t, test.script)
				timeout := time.Minute
				if test.says == "within" {
					timeout = 100 * time.Millisecond
				}
				c, err := New(Options{URL: h.url, Protocol: "json2", Timeout: timeout, MaxAnswer: 1 << 20, MaxConns: 2})
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				_, err = c.Call(t.Context(), keyOf("ann"), &Request{Model: "m", Method: "x", Reads: reads})
				f := fault.From(err)
				if f.Kind != test.kind || !strings.Contains(f.Message, test.says) || strings.Contains(f.Message, "secret-word") {
					t.Errorf("%v; want %v with %q", err, test.kind, test.says)
				}
				if strings.Contains(f.Error(), "key-ann") {
					t.Errorf("the key is in %v", f)
				}
				unknown := strings.Contains(f.Message, "not known")
				if mayBe := test.kind == fault.GatewayTimeout || test.says == "broke" || test.says == "does not reach"; unknown != (mayBe && !reads) {
					t.Errorf("%q: says that the outcome is not known: %v", f.Message, unknown)
				}
				want := int64(1)
				if reads && test.again {
					want = 2
				}
				if n := h.requests.Load(); n != want {
					t.Errorf("%d requests, want %d", n, want)
				}
				if s := c.Stats(); s.Running != 0 || s.Waiting != 0 || s.Calls != want || s.Failed == 0 {
					t.Errorf("%+v", s)
				}
			})
		}
	}
}

// TestNoRedirectIsFollowed: not even to where nothing secret is sent.
func TestNoRedirectIsFollowed(t *testing.T) {
	elsewhere := newHostile(t, saying(page("200 OK", jsonHead, "true")))
	for _, status := range []string{"301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"} {
		h := newHostile(t, saying(page(status, "Location: "+elsewhere.url+"/json/2/m/x\r\n", "")))
		for _, protocol := range []string{"json2", "jsonrpc", "xmlrpc", "web"} {
			c, err := New(Options{URL: h.url, Protocol: protocol, Database: "corpus"})
			if err != nil {
				t.Fatal(err)
			}
			a := keyOf("ann")
			if protocol == "web" {
				a = passwordOf("ann")
			}
			if _, err := c.Call(t.Context(), a, &Request{Model: "m", Method: "x", Reads: true}); !fault.Is(err, fault.BadGateway) {
				t.Errorf("%s: %v", status, err)
			}
			if _, err := c.Version(t.Context()); !fault.Is(err, fault.BadGateway) {
				t.Errorf("%s: %v", status, err)
			}
			c.Close()
		}
	}
	if n := elsewhere.requests.Load(); n != 0 {
		t.Errorf("%d requests went elsewhere", n)
	}
}

// TestNobodyThere: nothing was sent, so anything is tried again.
func TestNobodyThere(t *testing.T) {
	c, err := New(Options{URL: "http://127.0.0.1:1", Protocol: "json2"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, reads := range []bool{true, false} {
		_, err := c.Call(t.Context(), keyOf("ann"), &Request{Model: "m", Method: "x", Reads: reads})
		if f := fault.From(err); f.Kind != fault.BadGateway || f.Message != "Odoo cannot be reached" {
			t.Errorf("%v", err)
		}
	}
	if s := c.Stats(); s.Retried != 2*(maxTries-1) {
		t.Errorf("%+v", s)
	}
	if err := c.Ready(t.Context()); !fault.Is(err, fault.BadGateway) {
		t.Errorf("ready: %v", err)
	}
}

// TestReadyOfOneThatHangs: whoever asks whether it is ready shall hear it soon,
// also before it has ever answered.
func TestReadyOfOneThatHangs(t *testing.T) {
	t.Parallel() // it takes as long as it says
	c, err := New(Options{URL: newHostile(t, thenHang("")).url})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), readyTimeout+5*time.Second)
	defer cancel()
	if err := c.Ready(ctx); !fault.Is(err, fault.GatewayTimeout) || ctx.Err() != nil {
		t.Errorf("%v, %v", err, ctx.Err())
	}
}

// TestCertificate: nothing is sent to who is not who he should be.
func TestCertificate(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("something was sent") }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	c, err := New(Options{URL: server.URL, Protocol: "json2"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, err = c.Call(t.Context(), keyOf("ann"), &Request{Model: "m", Method: "x", Reads: true})
	if f := fault.From(err); f.Kind != fault.BadGateway || !strings.Contains(f.Message, "certificate") || c.Stats().Calls != 1 {
		t.Errorf("%v, %+v", err, c.Stats())
	}
}

// TestRetryAfter: the wait that a proxy asks for is passed on.
func TestRetryAfter(t *testing.T) {
	date := "Date: Fri, 01 May 2026 12:00:00 GMT\r\n"
	for _, test := range []struct {
		status, headers, body string
		want                  time.Duration
	}{
		{"429 Too Many Requests", htmlHead + "Retry-After: 17\r\n", "<html>", 17 * time.Second},
		{"503 Service Unavailable", htmlHead + "Retry-After: 3\r\n", "<html>", 3 * time.Second},
		{"503 Service Unavailable", htmlHead + date + "Retry-After: Fri, 01 May 2026 12:00:30 GMT\r\n", "", 30 * time.Second},
		{"503 Service Unavailable", htmlHead, "", 0},
		{"503 Service Unavailable", "Retry-After: -5\r\n", "", 0},
		{"503 Service Unavailable", "Retry-After: 99999999\r\n", "", time.Hour},
		{"503 Service Unavailable", "Retry-After: soon\r\n", "", 0},
		{
			"429 Too Many Requests", jsonHead + "Retry-After: 9\r\n",
			`{"name": "werkzeug.exceptions.TooManyRequests", "message": "slower", "arguments": [], "context": {}, "debug": ""}`, 9 * time.Second,
		},
	} {
		h := newHostile(t, saying(page(test.status, test.headers, test.body)))
		c, err := New(Options{URL: h.url, Protocol: "json2"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Call(t.Context(), keyOf("ann"), &Request{Model: "m", Method: "x", Reads: true})
		if f := fault.From(err); f.Kind != fault.Unavailable || f.RetryAfter != test.want {
			t.Errorf("%s %s: %v, %v", test.status, test.headers, f, f.RetryAfter)
		}
		c.Close()
	}
}

// TestCallersTime: a call is over when its caller's time is.
func TestCallersTime(t *testing.T) {
	h := newHostile(t, thenHang(""))
	c, err := New(Options{URL: h.url, Protocol: "json2", MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, reads := range []bool{true, false} {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		_, err := c.Call(ctx, keyOf("ann"), &Request{Model: "m", Method: "x", Reads: reads})
		cancel()
		if !fault.Is(err, fault.GatewayTimeout) {
			t.Errorf("%v", err)
		}
		ctx, cancel = context.WithCancel(t.Context())
		cancel()
		if _, err = c.Call(ctx, keyOf("ann"), &Request{Model: "m", Method: "x", Reads: reads}); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%v", err)
		}
	}
	for c.Stats().Running > 0 { // what the read left behind ends soon
		runtime.Gosched()
	}
}

// TestConnectionsAreReused, after errors and after answers of all sizes.
func TestConnectionsAreReused(t *testing.T) {
	f := odoo(t, "19.0")
	big := bytes.Repeat([]byte("x"), 3<<20)
	c := f.client(func(o *Options) { o.Protocol = "json2" })
	for i := range 5 {
		mustCall(t, c, keyOf("ann"), &Request{Model: "m", Method: "x", Kwargs: map[string]any{"big": string(big)}})
		if _, err := c.Call(t.Context(), &Account{Secret: fmt.Sprint("wrong", i)}, &Request{Model: "m", Method: "x"}); !fault.Is(err, fault.Unauthenticated) {
			t.Error(err)
		}
	}
	connections := map[string]bool{}
	for _, r := range f.requests {
		connections[r.RemoteAddr] = true
	}
	if len(f.requests) != 10 || len(connections) != 1 {
		t.Errorf("%d requests over %d connections", len(f.requests), len(connections))
	}
}

// TestConnectionDropsInUse: a server that hangs up while a request on a used
// connection is under way. net/http must not send a change again either.
func TestConnectionDropsInUse(t *testing.T) {
	for _, reads := range []bool{true, false} {
		f := odoo(t, "19.0")
		var n atomic.Int64
		f.first = func(http.ResponseWriter, *http.Request, []byte) bool {
			if n.Add(1) == 2 {
				panic(http.ErrAbortHandler)
			}
			return false
		}
		c := f.client(func(o *Options) { o.Protocol = "json2" })
		r := &Request{Model: "m", Method: "x", Reads: reads}
		mustCall(t, c, keyOf("ann"), r)
		_, err := c.Call(t.Context(), keyOf("ann"), r)
		switch {
		case reads && (err != nil || n.Load() != 3):
			t.Errorf("read: %v after %d requests", err, n.Load())
		case !reads && (!fault.Is(err, fault.BadGateway) || n.Load() != 2):
			t.Errorf("change: %v after %d requests", err, n.Load())
		}
		mustCall(t, c, keyOf("ann"), r)
	}
}

// TestClose ends what is under way in the background, and what comes after.
func TestClose(t *testing.T) {
	h := newHostile(t, thenHang(""))
	c, err := New(Options{URL: h.url, Protocol: "json2", Database: "corpus"})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	for _, a := range []*Account{keyOf("ann"), passwordOf("ann")} {
		go func() {
			_, err := c.Call(context.Background(), a, &Request{Model: "m", Method: "x", Reads: true})
			ended <- err
		}()
	}
	for h.requests.Load() < 2 {
		runtime.Gosched()
	}
	c.Close()
	for range 2 {
		if err := <-ended; !fault.Is(err, fault.Unavailable) {
			t.Error(err)
		}
	}
	if _, err := c.Call(t.Context(), keyOf("ann"), &Request{Model: "m", Method: "x", Reads: true}); !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
	if _, err := c.Call(t.Context(), passwordOf("ann"), &Request{Model: "m", Method: "x"}); !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
}
