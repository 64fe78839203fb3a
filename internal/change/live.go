package change

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/live"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// usable reports whether the live secret may be written for this namespace, or
// why not.
func (d *decider) usable() (note, bool) {
	claim := live.Claim{
		Cluster: d.Cluster, Namespace: d.Change.Namespace, Region: d.Region, RequireOwnerTag: d.RequireOwnerTag,
		Name: naming.LiveSecret(d.Prefix, d.ProjectName(), d.spec.Environment),
	}
	problem := claim.Missing()
	if !d.Live.Missing {
		problem = claim.Check(d.Live.Secret)
	}
	if problem == nil {
		return note{}, true
	}
	return note{problem.Reason, "Waiting: " + problem.Message}, false
}

// certain reports whether another live version than the base is really newer,
// not an answer from before the base was live: the proposer saw the base before
// the change was created.
func (d *decider) certain(current string) bool {
	created := d.Change.CreationTimestamp.Time
	if d.settled(created) {
		return true
	}
	return d.Live != nil && slices.ContainsFunc(d.Live.Labels, func(l Label) bool {
		// When it was seen live tells nothing: it may have been replaced by then. Creation times are in whole seconds.
		return l.VersionID == current && l.DecidedAt.After(created.Add(time.Second))
	})
}

// baseNotShown waits until AWS shows as live what the proposer saw live.
func (d *decider) baseNotShown() *Action {
	return d.wait(v1alpha1.ReasonProgressing, "Waiting: AWS does not show the base of the change as live yet", d.soon())
}

// foreign returns a label of a change that this cluster does not know, or nil.
func (d *decider) foreign() *Label {
	for i := range d.Live.Labels {
		if l := &d.Live.Labels[i]; !l.Known {
			return l
		}
	}
	return nil
}

// adopt makes the live version one of ours, step by step: labels that this
// cluster does not know come off, and our own goes on.
func (d *decider) adopt() *Action {
	current := d.Live.Secret.Current()
	if current != d.status.BaseVersionID {
		if !d.certain(current) {
			return d.baseNotShown()
		}
		return d.endUnapplied(v1alpha1.PhaseConflicted, v1alpha1.ReasonConflicted, "%s", d.movedMessage(current))
	}
	if foreign := d.foreign(); foreign != nil {
		return d.final(d.moveLabel(naming.VersionLabel(foreign.ChangeUID), foreign.VersionID, ""))
	}
	if trim, problem := d.trim(); problem != "" {
		return d.wait(v1alpha1.ReasonSecretUnusable, problem, d.soon())
	} else if trim != nil {
		return &Action{Effect: *trim, Again: true}
	}
	return d.final(d.moveLabel(d.label(), d.Live.Secret.VersionWith(d.label()), current))
}

// trim takes the oldest label off when writing another version would leave more
// restorable than the policy says, or more labels than AWS allows.
func (d *decider) trim() (*Effect, string) {
	older := d.older()
	// Ours, AWSPREVIOUS where there is none yet, and one that keeps what is live.
	wanted := d.Live.Secret.LabelCount()
	if d.Live.Secret.VersionWith(d.label()) == "" {
		wanted++
	}
	if d.Live.Secret.Previous() == "" {
		wanted++
	}
	if d.unkept(d.Live.Secret.Current()) {
		wanted++
	}
	if len(older) < d.policy.VersionHistory && wanted <= secretstore.MaxLabels {
		return nil, ""
	}
	if len(older) == 0 {
		return nil, fmt.Sprintf("Waiting: the live secret has %d version labels that are not ours, of %d allowed: take some off",
			d.Live.Secret.LabelCount(), secretstore.MaxLabels)
	}
	effect := d.moveLabel(older[0].label, older[0].VersionID, "")
	return &effect, ""
}

// oldLabel is one that may be taken off.
type oldLabel struct {
	Label
	label string
	// order puts what a change replaced before what it wrote.
	order int
}

// older are our labels that may be taken off, the oldest first: not the newest on
// what is live, nor this change's own or what it goes back by.
func (d *decider) older() []oldLabel {
	var all []oldLabel
	for _, l := range d.Live.Kept {
		if !l.Unfinished { // or the two would undo each other's step until they expire
			all = append(all, oldLabel{l, naming.KeptLabel(l.ChangeUID), 0})
		}
	}
	for _, l := range d.Live.Labels {
		if !l.Unfinished {
			all = append(all, oldLabel{l, naming.VersionLabel(l.ChangeUID), 1})
		}
	}
	needed := map[string]bool{}
	if r := d.status.Revert; r != nil {
		needed[r.FromVersionID], needed[r.ToVersionID] = true, true
	}
	last := lastOn(d.Live.Secret.Current(), all)
	all = slices.DeleteFunc(all, func(l oldLabel) bool {
		return l.label == last || l.ChangeUID == string(d.Change.UID) || needed[l.VersionID]
	})
	slices.SortFunc(all, func(a, b oldLabel) int {
		return cmp.Or(d.pinned(a)-d.pinned(b), a.AppliedAt.Compare(b.AppliedAt), cmp.Compare(a.order, b.order), cmp.Compare(a.VersionID, b.VersionID))
	})
	return all
}

// pinned is 1 for a label on a version that others wait to go back by: it goes
// last.
func (d *decider) pinned(l oldLabel) int {
	if slices.Contains(d.Queue.Pinned, l.VersionID) {
		return 1
	}
	return 0
}

// lastOn returns the newest of the labels on a version: adoptions add more, which
// may go.
func lastOn(version string, labels []oldLabel) string {
	var last oldLabel
	for _, l := range labels {
		if l.VersionID == version && (last.label == "" || l.AppliedAt.After(last.AppliedAt)) {
			last = l
		}
	}
	return last.label
}
