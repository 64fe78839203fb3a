package review_test

import (
	"io"
	"net"
	"net/url"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// proxy carries connections to the API server until it is cut.
type proxy struct {
	listener net.Listener
	target   string

	mu    sync.Mutex
	down  bool
	conns []net.Conn
}

func newProxy(host string) *proxy {
	GinkgoHelper()
	parsed, err := url.Parse(host)
	Expect(err).NotTo(HaveOccurred())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	p := &proxy{listener: listener, target: parsed.Host}
	go p.serve()
	DeferCleanup(func() { _ = listener.Close(); p.cut() })
	return p
}

func (p *proxy) url() string { return "https://" + p.listener.Addr().String() }

func (p *proxy) serve() {
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

func (p *proxy) carry(incoming net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		return false
	}
	outgoing, err := net.Dial("tcp", p.target)
	if err != nil {
		return false
	}
	p.conns = append(p.conns, incoming, outgoing)
	go func() { _, _ = io.Copy(outgoing, incoming) }()
	go func() { _, _ = io.Copy(incoming, outgoing) }()
	return true
}

// cut ends all connections and takes no more until mend.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = true
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
}

func (p *proxy) mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = false
}
