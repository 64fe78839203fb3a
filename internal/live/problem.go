// Package live says whether a live secret may be served: to the controller of
// projects, which reports it, and to the one of changes, which must not write
// it otherwise. It is pure.
package live

import (
	"fmt"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// Claim is who asks for which live secret.
type Claim struct {
	// Cluster and Namespace are what the owner tag must name.
	Cluster, Namespace string
	// Region is where the manager works.
	Region string
	// Name is the secret's name.
	Name string
	// RequireOwnerTag asks for the owner tag.
	RequireOwnerTag bool
}

// Problem is why a live secret cannot be served.
type Problem struct {
	// Reason is one of v1alpha1's.
	Reason string
	// Message is a clause: what is wrong with which secret, and what to do.
	Message string
	// Passing says that it ends by itself.
	Passing bool
	// Foreign says that the secret is not ours, so that nothing of it may be shown.
	Foreign bool
}

// Check returns what is wrong with the secret as AWS describes it, or nil.
func (c Claim) Check(secret secretstore.Secret) *Problem {
	switch {
	case secret.Name != c.Name:
		return unusable("the live secret should be named %s, but AWS calls it %q: create it under that name", c.Name, secret.Name)
	case c.RequireOwnerTag && secret.Tags[naming.TagOwner] != c.owner():
		return c.notOwner(secret)
	case secret.DeletedAt != nil:
		return unusable("the live secret %s is scheduled for deletion: restore it", c.Name)
	case secret.OwningService != "":
		return unusable("the live secret %s is managed by %s, which alone may write it: use another name", c.Name, secret.OwningService)
	case secret.IsReplicaIn(c.Region):
		return unusable("the live secret %s is a replica of the one in %s: run the manager there", c.Name, secret.PrimaryRegion)
	case secret.InRotation():
		p := unusable("the live secret %s is in the middle of a rotation: wait for its end, or cancel it", c.Name)
		p.Passing = true
		return p
	default:
		return nil
	}
}

// Missing is the problem that there is no such secret.
func (c Claim) Missing() *Problem {
	return &Problem{Reason: v1alpha1.ReasonSecretMissing, Foreign: true, Message: fmt.Sprintf(
		"the live secret %s does not exist in %s: create it, with the tag %s set to %s", c.Name, c.Region, naming.TagOwner, c.owner())}
}

func (c Claim) owner() string { return naming.Owner(c.Cluster, c.Namespace) }

func (c Claim) notOwner(secret secretstore.Secret) *Problem {
	p := &Problem{Reason: v1alpha1.ReasonNotOwner, Foreign: true}
	if tag, tagged := secret.Tags[naming.TagOwner]; tagged {
		p.Message = fmt.Sprintf("the live secret %s belongs to %q by its tag %s, not to %s: have its owner change the tag, or use another name",
			c.Name, tag, naming.TagOwner, c.owner())
		return p
	}
	p.Message = fmt.Sprintf("the live secret %s has no owner: if it is yours, set its tag %s to %s", c.Name, naming.TagOwner, c.owner())
	return p
}

func unusable(format string, args ...any) *Problem {
	return &Problem{Reason: v1alpha1.ReasonSecretUnusable, Message: fmt.Sprintf(format, args...)}
}
