package project

import (
	"fmt"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// Reasons words each kind of failure as the reason of a condition or event.
var Reasons = map[secretstore.Kind]string{
	secretstore.KindNotFound:     v1alpha1.ReasonSecretMissing,
	secretstore.KindExists:       v1alpha1.ReasonSecretUnusable,
	secretstore.KindInvalidState: v1alpha1.ReasonSecretUnusable,
	secretstore.KindInvalidInput: v1alpha1.ReasonSecretUnusable,
	secretstore.KindLimit:        v1alpha1.ReasonSecretUnusable,
	secretstore.KindDenied:       v1alpha1.ReasonAccessDenied,
	secretstore.KindCredentials:  v1alpha1.ReasonCredentials,
	secretstore.KindThrottled:    v1alpha1.ReasonThrottled,
	secretstore.KindUnavailable:  v1alpha1.ReasonUnavailable,
}

// lasting are the kinds of failure that stand in the way of one environment
// until somebody does something about it. The others pass, or concern all of AWS.
var lasting = map[secretstore.Kind]bool{
	secretstore.KindDenied:       true,
	secretstore.KindInvalidInput: true,
	secretstore.KindLimit:        true,
}

// problem is a v1alpha1.Problem before it is written.
type problem struct {
	reason, message string
	// passing says that it ends by itself.
	passing bool
	// foreign says that the secret is not ours, so that nothing of it is shown.
	foreign bool
}

func unusable(format string, args ...any) *problem {
	return &problem{reason: v1alpha1.ReasonSecretUnusable, message: fmt.Sprintf(format, args...)}
}

// problem says why the secret cannot be served, or returns nil.
func (e *environment) problem(s *Secret) *problem {
	name := e.secretName()
	switch {
	case s.Missing:
		return &problem{reason: v1alpha1.ReasonSecretMissing, foreign: true, message: fmt.Sprintf(
			"the live secret %s does not exist in %s: create it, with the tag %s set to %s", name, e.Region, naming.TagOwner, e.owner())}
	case e.RequireOwnerTag && s.Tags[naming.TagOwner] != e.owner():
		return e.notOwner(s)
	case s.DeletedAt != nil:
		return unusable("the live secret %s is scheduled for deletion: restore it", name)
	case s.OwningService != "":
		return unusable("the live secret %s is managed by %s, which alone may write it: use another name", name, s.OwningService)
	case s.IsReplicaIn(e.Region):
		return unusable("the live secret %s is a replica of the one in %s: run the manager there", name, s.PrimaryRegion)
	case s.InRotation():
		p := unusable("the live secret %s is in the middle of a rotation: wait for its end, or cancel it", name)
		p.passing = true
		return p
	default:
		return nil
	}
}

func (e *environment) notOwner(s *Secret) *problem {
	p := &problem{reason: v1alpha1.ReasonNotOwner, foreign: true}
	if tag, tagged := s.Tags[naming.TagOwner]; tagged {
		p.message = fmt.Sprintf("the live secret %s belongs to %q by its tag %s, not to %s: have its owner change the tag, or use another name",
			e.secretName(), tag, naming.TagOwner, e.owner())
		return p
	}
	p.message = fmt.Sprintf("the live secret %s has no owner: if it is yours, set its tag %s to %s", e.secretName(), naming.TagOwner, e.owner())
	return p
}

// claimed says which other SecretProject stands in the way, or returns nil.
// Between namespaces and clusters the owner tag decides, not age; within one
// namespace, and where tags are not required, nothing can.
func (e *environment) claimed() *problem {
	for _, rival := range e.observed.Rivals {
		sameNamespace := rival.Namespace == e.project.Namespace
		if !sameNamespace && e.RequireOwnerTag {
			continue
		}
		return &problem{reason: v1alpha1.ReasonNameClaimed, message: fmt.Sprintf(
			"SecretProject %s/%s claims the live secret %s as well, so that neither is served: take the environment out of one of them",
			rival.Namespace, rival.Name, e.secretName())}
	}
	return nil
}
