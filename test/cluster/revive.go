package cluster

import (
	"bytes"
	"context"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/util/version"
)

// Before 1.36 an API server may die when it compiles an admission policy that has variables while it evaluates one:
// https://github.com/kubernetes/kubernetes/issues/135757.
const (
	mendedIn   = "1.36"
	knownCrash = "fatal error: concurrent map"
)

// MayDieOfPolicies reports whether this release's API server may die when policies are written.
func (b Binaries) MayDieOfPolicies() bool {
	return version.MustParseGeneric(b.Version).LessThan(version.MustParseGeneric(mendedIn))
}

// MayDieOfPolicies reports whether this cluster's API server may.
func (c *Cluster) MayDieOfPolicies() bool { return c.binaries.MayDieOfPolicies() }

// Revive starts an API server again that has died so, as a control plane does, and reports whether it had to.
func (c *Cluster) Revive(ctx context.Context) (bool, error) {
	if !c.MayDieOfPolicies() || c.apiServer.Crashed() == nil {
		return false, nil
	}
	log, err := os.ReadFile(c.logFile(apiServerName))
	if err != nil {
		return false, fmt.Errorf("cannot tell why the API server has died: %w", err)
	}
	if !bytes.Contains(log, []byte(knownCrash)) {
		return false, nil
	}
	return true, c.StartAPIServer(ctx)
}
