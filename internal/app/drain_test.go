package app

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// request sends a GET on a connection, which must be answered, and says whether
// the connection ends with that.
func request(t *testing.T, conn net.Conn) (ends bool) {
	t.Helper()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "fine" {
		t.Errorf("%d %q %v", resp.StatusCode, body, err)
	}
	return resp.Close
}

// Callers that are connected when the server begins to end, freshly or since
// their last request, are still answered once and told to go elsewhere.
func TestDrainAnswersOpenConnections(t *testing.T) {
	listener := listen(t)
	answer := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "fine") })
	server := &http.Server{Handler: answer, ReadHeaderTimeout: time.Minute}
	d := drainable(server)
	served, ended := make(chan error, 1), make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	kept, fresh := dial(t, listener), dial(t, listener)
	if request(t, kept) {
		t.Fatal("the connection ended before the server")
	}

	// The listener has ended once Serve's end was taken off the channel.
	end := make(chan error)
	go func() { ended <- d.drain(context.Background(), listener, end, time.Minute) }()
	end <- <-served
	for _, conn := range []net.Conn{kept, fresh} {
		if !request(t, conn) {
			t.Error("the caller was not asked to go elsewhere")
		}
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// Nobody who connected before the listener stopped is turned away.
func TestDrainTakesWhoWaits(t *testing.T) {
	listener := listen(t)
	for range 3 {
		dial(t, listener)
	}
	if err := listener.stop(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		conn, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
	}
	if _, err := listener.Accept(); err == nil {
		t.Error("it still waits for connections")
	}
	if conn, err := net.Dial("tcp", listener.Addr().String()); err == nil {
		conn.Close()
		t.Error("it still takes connections")
	}
}

func listen(t *testing.T) *drainListener {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return &drainListener{TCPListener: l}
}

func dial(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}
