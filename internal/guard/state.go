// Package guard knows whether the admission policies that establish identities
// are in force. The controllers apply nothing while they are not.
package guard

import (
	"time"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

// State is what is known of the admission policies at one moment.
type State struct {
	// Intact says that policies, bindings and the CRDs' rules are as shipped
	// and that a forged change was refused.
	Intact bool
	// Epoch names the span during which they were intact and unchanged: 1, or,
	// after a lapse or a change, a number that nobody could foresee. It
	// survives restarts.
	Epoch int64
	// Since is when this epoch began: identities on anything older are not
	// proven by it.
	Since time.Time
	// Reason says in one sentence what is wrong and what to do, if not Intact.
	Reason string
	// Policies are the objects that the epoch is about.
	Policies []v1alpha1.ObjectRevision
}

// Reader gives the present State. Before the first check it is not Intact.
type Reader interface{ State() State }
