package endpoint_test

import (
	"errors"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/secretreview/secretreview/internal/endpoint"
)

func FuzzCredentialsGoNowhereElse(f *testing.F) {
	for _, address := range []string{
		"https://example.com", "http://localhost:8080/x", "http://127.0.0.1", "http://[::1]:80", "http://[::ffff:127.0.0.1]",
		"http://localhost.evil.com", "http://127.0.0.1.evil.com", "http://user:pass@evil.com", "http://2130706433", "http://0x7f.1",
		"http://127.1", "HTTP://LOCALHOST", "http://localhost@evil.com", "https:///x", "//x", "http://[::1%25lo]", "ftp://localhost", "",
	} {
		f.Add(address)
	}
	f.Fuzz(func(t *testing.T, address string) {
		parsed, err := url.Parse(address)
		if err != nil {
			return
		}
		err = endpoint.Check(parsed)
		var insecure *endpoint.InsecureError
		if err != nil {
			if !errors.As(err, &insecure) {
				t.Fatalf("an error of no kind: %v", err)
			}
			nobody := *parsed
			nobody.User = nil
			if without := endpoint.Check(&nobody); without == nil || without.Error() != err.Error() {
				t.Fatalf("the error for %q tells of the user: %v, and without one it is %v", address, err, without)
			}
			return
		}
		if parsed.Host == "" {
			t.Fatalf("%q names no host", address)
		}
		if parsed.Scheme == "https" {
			return
		}
		// What the standard library would call must be this machine.
		host, _, _ := strings.Cut(parsed.Hostname(), "%")
		if ip := net.ParseIP(host); parsed.Scheme != "http" || !strings.EqualFold(host, "localhost") && (ip == nil || !ip.IsLoopback()) {
			t.Fatalf("%q is sent credentials without TLS", address)
		}
	})
}
