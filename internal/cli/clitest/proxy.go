package clitest

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// Proxy carries connections to the API server until it is cut.
type Proxy struct {
	listener net.Listener
	target   string

	mu    sync.Mutex
	down  bool
	conns []net.Conn
}

// NewProxy starts one to a server, such as "https://127.0.0.1:6443".
func NewProxy(t testing.TB, host string) *Proxy {
	t.Helper()
	parsed, err := url.Parse(host)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // It ends with the test.
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{listener: listener, target: parsed.Host}
	go p.serve()
	t.Cleanup(func() { _ = listener.Close(); p.Cut() })
	return p
}

// URL is where it is.
func (p *Proxy) URL() string { return "https://" + p.listener.Addr().String() }

func (p *Proxy) serve() {
	for {
		incoming, err := p.listener.Accept()
		if err != nil {
			return
		}
		if !p.carry(incoming) {
			_ = incoming.Close()
		}
	}
}

func (p *Proxy) carry(incoming net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		return false
	}
	outgoing, err := net.Dial("tcp", p.target) //nolint:noctx // It ends with the test.
	if err != nil {
		return false
	}
	p.conns = append(p.conns, incoming, outgoing)
	go func() { _, _ = io.Copy(outgoing, incoming) }()
	go func() { _, _ = io.Copy(incoming, outgoing) }()
	return true
}

// Cut ends all connections and takes no more until Mend.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = true
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
}

// Mend takes connections again.
func (p *Proxy) Mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = false
}
