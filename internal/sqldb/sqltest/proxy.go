package sqltest

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
)

// Proxy stands between a test and a server and can hold everything up, or
// refuse connections.
type Proxy struct {
	listener net.Listener
	server   string
	group    sync.WaitGroup

	mu    sync.Mutex
	moved *sync.Cond
	held  bool
	conns map[net.Conn]bool // nil: refuse
}

// StartProxy leads to a server ("host:port") until Refuse.
func StartProxy(t testing.TB, server string) *Proxy {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{listener: listener, server: server, conns: map[net.Conn]bool{}}
	p.moved = sync.NewCond(&p.mu)
	p.group.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			p.serve(conn)
		}
	})
	return p
}

// Addr is where the proxy listens.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

func (p *Proxy) serve(client net.Conn) {
	server, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", p.server)
	if err != nil || !p.keep(client, server) {
		_ = client.Close()
		return
	}
	for _, pair := range [][2]net.Conn{{client, server}, {server, client}} {
		p.group.Go(func() {
			defer func() { _, _ = pair[0].Close(), pair[1].Close() }()
			_, _ = io.Copy(gate{pair[1], p}, pair[0])
		})
	}
}

func (p *Proxy) keep(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		if p.conns == nil {
			_ = c.Close()
			continue
		}
		p.conns[c] = true
	}
	return p.conns != nil
}

// gate is a connection that writes only while the proxy is not held.
type gate struct {
	net.Conn
	p *Proxy
}

func (g gate) Write(b []byte) (int, error) {
	g.p.mu.Lock()
	for g.p.held {
		g.p.moved.Wait()
	}
	g.p.mu.Unlock()
	return g.Conn.Write(b)
}

// Hold lets nothing through any more, or everything again.
func (p *Proxy) Hold(held bool) {
	p.mu.Lock()
	p.held = held
	p.mu.Unlock()
	p.moved.Broadcast()
}

// Refuse breaks all connections and takes no more.
func (p *Proxy) Refuse() {
	_ = p.listener.Close()
	p.mu.Lock()
	for c := range p.conns {
		_ = c.Close()
	}
	p.conns, p.held = nil, false
	p.mu.Unlock()
	p.moved.Broadcast()
	p.group.Wait()
}
