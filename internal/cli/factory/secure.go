package factory

import (
	"fmt"
	"net/http"

	"k8s.io/client-go/rest"

	"github.com/secretreview/secretreview/internal/endpoint"
)

// secure fails with an *endpoint.InsecureError unless credentials may be sent
// to the API server, and through the kubeconfig's proxy where HTTP would show
// them to it.
func secure(c *rest.Config) error {
	server, _, err := rest.DefaultServerUrlFor(c)
	if err != nil {
		return badKubeconfig(err)
	}
	if err := endpoint.Check(server); err != nil {
		return fmt.Errorf("the cluster's address in the kubeconfig: %w", err)
	}
	if server.Scheme == "https" || c.Proxy == nil {
		return nil
	}
	proxy, err := c.Proxy(&http.Request{URL: server})
	if err != nil {
		return badKubeconfig(err)
	}
	if proxy == nil {
		return nil
	}
	if err := endpoint.Check(proxy); err != nil {
		return fmt.Errorf("the cluster's proxy in the kubeconfig: %w", err)
	}
	return nil
}

// onlySecure refuses each request to where no credentials may go, as after a
// redirect, on which client-go sends the token again.
type onlySecure struct{ next http.RoundTripper }

func (t onlySecure) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := endpoint.Check(r.URL); err != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, fmt.Errorf("the cluster leads elsewhere: %w", err)
	}
	return t.next.RoundTrip(r)
}
