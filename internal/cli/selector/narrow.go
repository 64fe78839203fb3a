package selector

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/exit"
)

// unseen is what a person calls the phase of a change that the controller has not
// seen yet, which is empty.
const unseen = "New"

// phases are what --status takes, beside unseen.
var phases = []v1alpha1.Phase{
	v1alpha1.PhasePending, v1alpha1.PhaseApproved,
	v1alpha1.PhaseApplied, v1alpha1.PhaseRejected, v1alpha1.PhaseConflicted, v1alpha1.PhaseExpired, v1alpha1.PhaseInvalid,
}

// Narrow says which part of a listing is wanted.
type Narrow struct {
	Status string
	Limit  int
}

// AddFlags binds --status and --limit, which is limit unless it is given.
func (n *Narrow) AddFlags(flags *pflag.FlagSet, limit int) {
	flags.StringVar(&n.Status, "status", "", "only those in this phase: "+phaseNames())
	flags.IntVar(&n.Limit, "limit", limit, "how many at most; 0 is all of them, which are then held in memory")
}

func phaseNames() string {
	all := []string{unseen}
	for _, phase := range phases {
		all = append(all, string(phase))
	}
	return strings.Join(all, ", ")
}

// CompletePhases completes --status.
var CompletePhases = cobra.FixedCompletions(strings.Split(phaseNames(), ", "), cobra.ShellCompDirectiveNoFileComp)

// Phases returns the phases that are wanted, usual where --status is not given.
// It fails with an exit.Error of Usage for flags that make no sense.
func (n *Narrow) Phases(usual Phases) (Phases, error) {
	if n.Limit < 0 {
		return Phases{}, exit.Errorf(exit.Usage, "--limit is %d: give 0 or more", n.Limit)
	}
	if n.Status == "" {
		return usual, nil
	}
	if strings.EqualFold(n.Status, unseen) {
		return Phases{Not: phases}, nil
	}
	at := slices.IndexFunc(phases, func(p v1alpha1.Phase) bool { return strings.EqualFold(string(p), n.Status) })
	if at < 0 {
		return Phases{}, exit.Errorf(exit.Usage, "--status is %q, which is no phase: give %s", n.Status, phaseNames())
	}
	return Phases{Only: phases[at]}, nil
}

// Read returns the newest of what the filter selects, the latest first, and how
// many older ones it has left out.
func (n *Narrow) Read(ctx context.Context, kube client.Client, filter Filter) (found []v1alpha1.SecretChange, older int, err error) {
	kept := &newest{limit: n.Limit}
	if err := Each(ctx, kube, filter, kept.add); err != nil {
		return nil, 0, err
	}
	found = kept.sorted()
	return found, kept.seen - len(found), nil
}

// What names what a listing without any entries lacks. usual is its word where
// --status is not given.
func (n *Narrow) What(l *Listing, usual string) string {
	if n.Status == "" {
		return usual
	}
	return "changes in phase " + string(l.Phases.Only)
}
