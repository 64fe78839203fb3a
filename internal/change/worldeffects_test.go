package change_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/change"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/policy"
	"github.com/secretreview/secretreview/internal/secretstore"
)

var errRefused = errors.New("AWS refused")

// do carries out an effect on the model, and may lose the answer.
func (w *world) do(c *v1alpha1.SecretChange, e change.Effect) error {
	if err := w.effect(c, e); err != nil {
		return err
	}
	if e.Kind != change.NoEffect && w.lose() {
		return errLost
	}
	return nil
}

func (w *world) effect(c *v1alpha1.SecretChange, e change.Effect) error {
	switch e.Kind {
	case change.AddFinalizer:
		c.Finalizers = append(c.Finalizers, v1alpha1.Finalizer)
	case change.RemoveFinalizer:
		c.Finalizers = nil
	case change.DeleteStaged:
		if e.ARN != c.Spec.Staged.SecretARN {
			w.violate(c, "deletes another's staged secret")
		}
		if c.DeletionTimestamp == nil && (!c.Status.Phase.Finished() || w.now.Before(c.KeptUntil())) {
			w.violate(c, "deletes a staged secret that is still needed")
		}
		delete(w.staged, e.ARN)
	case change.Put:
		return w.put(e.Put)
	case change.MoveLabel:
		return w.move(c, e.Move)
	case change.RestoreStaged, change.NoEffect:
	}
	return nil
}

func (w *world) put(in secretstore.PutInput) error {
	if have, ok := w.versions[in.VersionID]; ok {
		if !have.value.Equal(in.Value) {
			return errRefused
		}
		return nil
	}
	if slices.Contains(in.Labels, secretstore.LabelCurrent) || len(in.Labels) == 0 {
		panic("a put must not move AWSCURRENT")
	}
	w.changing()
	v := &version{value: in.Value, labels: map[string]bool{}}
	for _, label := range in.Labels {
		if old := w.with(label); old != "" {
			delete(w.versions[old].labels, label)
		}
		v.labels[label] = true
	}
	w.versions[in.VersionID] = v
	return nil
}

func (w *world) move(c *v1alpha1.SecretChange, in secretstore.MoveLabelInput) error {
	if w.before != nil && in.Label == secretstore.LabelCurrent {
		w.before()
		w.before = nil
	}
	if w.with(in.Label) != in.From || (in.To != "" && w.versions[in.To] == nil) {
		return errRefused
	}
	w.changing()
	if in.Label != secretstore.LabelCurrent {
		if in.From != "" {
			delete(w.versions[in.From].labels, in.Label)
		}
		if in.To != "" {
			w.versions[in.To].labels[in.Label] = true
		}
		return nil
	}
	w.checkMove(c, in)
	w.moves[string(c.UID)]++
	w.moveCurrent(in.To)
	return nil
}

// checkMove holds what must be true at the moment when a change becomes live.
func (w *world) checkMove(c *v1alpha1.SecretChange, in secretstore.MoveLabelInput) {
	if c.Status.Attempt == nil || in.To != c.Status.Attempt.VersionID {
		w.violate(c, "makes another change's version live")
	}
	effective, _ := policy.For(w.project, "production")
	d := policy.Decide(policy.Request{Spec: &c.Spec, Policy: effective, TargetApplied: w.facts(c).Queue.WroteTarget,
		Discounted: slices.Collect(maps.Keys(w.unproven[c.Name]))})
	if d.Verdict != policy.Approved {
		w.violate(c, "goes live while "+string(d.Verdict))
	}
	if effective.Suspended {
		w.violate(c, "goes live in a freeze")
	}
	if !w.trust.Intact || c.Status.Admission.Epoch != w.trust.Epoch {
		w.violate(c, "goes live while identities are not proven")
	}
	after, err := document.Parse(w.versions[in.To].value)
	if err != nil {
		w.violate(c, "writes what is no document")
	}
	if c.Spec.Staged == nil {
		w.checkRevert(c, after)
		return
	}
	if clashes := w.patches[string(c.UID)].Clashes(w.live()); len(clashes) > 0 {
		w.violate(c, "overwrites what somebody changed since")
	}
	if !w.patches[string(c.UID)].Apply(w.live()).Equal(after) {
		w.violate(c, "loses an update")
	}
}

// checkRevert holds what a rollback or restore makes live.
func (w *world) checkRevert(c *v1alpha1.SecretChange, after document.Document) {
	if c.Spec.Restore != nil {
		to := string(c.Spec.Restore.VersionID)
		if to == "" {
			to = w.named(c.Spec.Restore.Change).Status.AppliedVersionID
		}
		if !after.Equal(w.valueOf(to)) {
			w.violate(c, "restores something else")
		}
		return
	}
	undone := w.named(c.Spec.Rollback.Change)
	from, to := w.valueOf(undone.Status.AppliedVersionID), w.valueOf(undone.Status.PreviousVersionID)
	touched := map[string]bool{}
	for _, change := range document.Diff(from, to) {
		touched[change.Key] = true
	}
	for _, change := range document.Diff(w.live(), after) {
		if !touched[change.Key] {
			w.violate(c, "touches "+change.Key+", which the change that it undoes did not")
		}
	}
	for key := range touched {
		a, hasA := after[key]
		b, hasB := to[key]
		if hasA != hasB || !a.Equal(b) {
			w.violate(c, "does not put back "+key)
		}
	}
}

func (w *world) named(name string) *v1alpha1.SecretChange {
	for _, c := range w.changes {
		if c.Name == name {
			return c
		}
	}
	return &v1alpha1.SecretChange{}
}

func (w *world) violate(c *v1alpha1.SecretChange, what string) {
	w.violations = append(w.violations, fmt.Sprintf("%s %s", c.Name, what))
}

// settle reconciles everything, without faults, until nothing more happens.
func (w *world) settle() {
	w.lose, w.crash, w.stale = never, never, never
	for range 200 {
		busy := false
		for _, c := range w.changes {
			busy = w.reconcile(c) || busy
		}
		if !busy {
			return
		}
		w.now = w.now.Add(time.Second)
	}
	w.violations = append(w.violations, "does not come to rest")
}
