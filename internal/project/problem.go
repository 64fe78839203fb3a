package project

import (
	"fmt"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/live"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// lasting are the kinds of failure that stand in the way of one environment
// until somebody does something about it. The others pass, or concern all of AWS.
var lasting = map[secretstore.Kind]bool{
	secretstore.KindDenied:       true,
	secretstore.KindInvalidInput: true,
	secretstore.KindLimit:        true,
}

// problem says why the secret cannot be served, or returns nil.
func (e *environment) problem(s *Secret) *live.Problem {
	claim := live.Claim{
		Cluster: e.Cluster, Namespace: e.project.Namespace, Region: e.Region,
		Name: e.secretName(), RequireOwnerTag: e.RequireOwnerTag,
	}
	if s.Missing {
		return claim.Missing()
	}
	return claim.Check(s.Secret)
}

// claimed says which other SecretProject stands in the way, or returns nil.
// Between namespaces and clusters the owner tag decides, not age; within one
// namespace, and where tags are not required, nothing can.
func (e *environment) claimed() *live.Problem {
	for _, rival := range e.observed.Rivals {
		sameNamespace := rival.Namespace == e.project.Namespace
		if !sameNamespace && e.RequireOwnerTag {
			continue
		}
		return &live.Problem{Reason: v1alpha1.ReasonNameClaimed, Message: fmt.Sprintf(
			"SecretProject %s/%s claims the live secret %s as well, so that neither is served: take the environment out of one of them",
			rival.Namespace, rival.Name, e.secretName())}
	}
	return nil
}
