package factory_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/endpoint"
)

func toCluster(t *testing.T, cluster string) *factory.Factory {
	t.Helper()
	f := newFactory(t, "", "")
	*f.KubeFlags.KubeConfig = filepath.Join(f.Directory, "other")
	text := strings.Replace(kubeconfig, `server: "https://127.0.0.1:1"`, cluster, 1)
	if err := os.WriteFile(*f.KubeFlags.KubeConfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestACredentialGoesToHTTPSAndThisMachineAlone(t *testing.T) {
	for name, tc := range map[string]struct {
		cluster string
		refused string
	}{
		"HTTPS":        {cluster: `server: "https://api.example.com"`},
		"this machine": {cluster: `server: "http://localhost:8080"`},
		"HTTPS through a proxy, which sees nothing": {cluster: `server: "https://api.example.com", proxy-url: "http://proxy.example.com:3128"`},
		"this machine through a proxy on it":        {cluster: `server: "http://localhost:8080", proxy-url: "http://127.0.0.1:3128"`},
		"HTTP":                                      {cluster: `server: "http://api.example.com"`, refused: "http://api.example.com is neither HTTPS nor"},
		"a name that begins with localhost":         {cluster: `server: "http://localhost.evil.example"`, refused: "http://localhost.evil.example is neither"},
		"no scheme, which means HTTP":               {cluster: `server: "api.example.com"`, refused: "http://api.example.com is neither"},
		"this machine through somebody else's":      {cluster: `server: "http://localhost:8080", proxy-url: "http://proxy.example.com:3128"`, refused: "http://proxy.example.com:3128 is neither"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := toCluster(t, tc.cluster).Kube()
			if tc.refused == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var insecure *endpoint.InsecureError
			if !errors.As(err, &insecure) || exit.CodeOf(err) != exit.Refused || !strings.Contains(err.Error(), tc.refused) {
				t.Errorf("unexpected: %v", err)
			}
		})
	}
}

func TestARedirectToHTTPIsNotFollowed(t *testing.T) {
	var arrived atomic.Int32
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrived.Add(1) }))
	t.Cleanup(plain.Close)
	// 0.0.0.0 reaches this machine and is no loopback address.
	elsewhere := strings.Replace(plain.URL, "127.0.0.1", "0.0.0.0", 1)
	server := httptest.NewTLSServer(http.RedirectHandler(elsewhere, http.StatusTemporaryRedirect))
	t.Cleanup(server.Close)
	f := toCluster(t, `server: "`+server.URL+`", insecure-skip-tls-verify: true`)
	_, err := f.User(t.Context())
	var insecure *endpoint.InsecureError
	if !errors.As(err, &insecure) || exit.CodeOf(err) != exit.Refused || arrived.Load() != 0 {
		t.Errorf("%d requests arrived: %v", arrived.Load(), err)
	}
}
