package endpoint_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/secretreview/secretreview/internal/endpoint"
)

func TestCheck(t *testing.T) {
	const sent, refused = true, false
	for address, want := range map[string]bool{
		"https://api.example.com":        sent,
		"https://api.example.com:6443/x": sent,
		"https://10.0.0.1":               sent,
		"HTTPS://api.example.com":        sent,
		"http://localhost":               sent,
		"http://localhost:8080/path":     sent,
		"http://LocalHost:8080":          sent,
		"http://127.0.0.1:4566":          sent,
		"http://127.8.9.10":              sent,
		"http://[::1]:8080":              sent,
		"http://[::ffff:127.0.0.1]":      sent,

		"http://localhost.evil.example":       refused,
		"http://localhost.":                   refused,
		"http://evil.localhost":               refused,
		"http://notlocalhost":                 refused,
		"http://127.0.0.1.evil.example":       refused,
		"http://localhost@evil.example":       refused,
		"http://localhost:80@evil.example":    refused,
		"http://evil.example/localhost":       refused,
		"http://evil.example#localhost":       refused,
		"http://evil.example?host=localhost":  refused,
		"http://api.example.com":              refused,
		"http://10.0.0.1":                     refused,
		"http://128.0.0.1":                    refused,
		"http://0.0.0.0":                      refused,
		"http://[::]":                         refused,
		"http://[::2]":                        refused,
		"http://[fe80::1%25lo]":               refused,
		"http://[::ffff:10.0.0.1]":            refused,
		"http://2130706433":                   refused,
		"http://127.1":                        refused,
		"http://0x7f.0.0.1":                   refused,
		"http://xn--lcalhost-54f.example":     refused,
		"ftp://localhost":                     refused,
		"ws://localhost":                      refused,
		"http://":                             refused,
		"https://":                            refused,
		"https:/api.example.com":              refused,
		"localhost:8080":                      refused,
		"//localhost":                         refused,
		"unix:///var/run/api.sock":            refused,
		"http://169.254.169.254/latest/token": refused,
		"":                                    refused,
	} {
		t.Run(address, func(t *testing.T) {
			parsed, err := url.Parse(address)
			if err != nil {
				t.Fatal(err)
			}
			err = endpoint.Check(parsed)
			if (err == nil) != want {
				t.Errorf("unexpected: %v", err)
			}
			var insecure *endpoint.InsecureError
			if err != nil && !errors.As(err, &insecure) {
				t.Errorf("%T", err)
			}
		})
	}
}

func TestTheErrorNamesNoUserAndNoPath(t *testing.T) {
	parsed, err := url.Parse("http://alice:hunter2@api.example.com/path?token=hunter2")
	if err != nil {
		t.Fatal(err)
	}
	text := endpoint.Check(parsed).Error()
	if !strings.HasPrefix(text, "http://api.example.com is neither") || strings.Contains(text, "hunter2") {
		t.Error(text)
	}
}
