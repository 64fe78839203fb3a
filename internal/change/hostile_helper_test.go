package change_test

import (
	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/change"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// seeing is reconcile with an answer of Describe that may be old.
func (w *world) seeing(c *v1alpha1.SecretChange, seen secretstore.Secret) change.Action {
	facts := w.facts(c)
	var a change.Action
	for range 10 {
		if a = change.Decide(w.settings, facts); a.Read == change.ReadNothing {
			break
		}
		if a.Read != change.ReadLive {
			if a.Read == change.ReadLiveValue && a.ReadVersion == "" {
				a.ReadVersion = seen.Current()
			}
			w.read(&facts, a)
			continue
		}
		live := &change.Live{Secret: seen}
		for id, labels := range seen.Versions {
			for _, label := range labels {
				if uid, ours := naming.ChangeUID(label); ours {
					live.Labels = append(live.Labels, w.label(id, uid))
				}
			}
		}
		facts.Live = live
	}
	if a.StatusFirst {
		c.Status = a.Status
	}
	if err := w.do(c, a.Effect); err != nil {
		return a
	}
	c.Status = a.Status
	return a
}

// until reconciles until the next effect would be of a kind, which is not done.
// Of labels, only AWSCURRENT's move counts.
func (w *world) until(c *v1alpha1.SecretChange, kind change.EffectKind) {
	for range 50 {
		if _, a := w.decide(c); a.Effect.Kind == kind && (kind != change.MoveLabel || a.Effect.MakesLive()) {
			return
		}
		w.reconcile(c)
	}
	panic("never asks for " + string(kind))
}

func edited(doc document.Document, edit func(document.Document)) document.Document {
	out := doc.Clone()
	edit(out)
	return out
}

func readyReason(c *v1alpha1.SecretChange) string {
	for _, cond := range c.Status.Conditions {
		if cond.Type == v1alpha1.ConditionReady {
			return cond.Reason
		}
	}
	return ""
}

// sources are changes that write a version, one of each kind.
var sources = map[string]func(w *world) *v1alpha1.SecretChange{
	"an edit": func(w *world) *v1alpha1.SecretChange { return w.propose("alice", setA) },
	"a rollback": func(w *world) *v1alpha1.SecretChange {
		first := w.propose("alice", setC)
		w.settle()
		w.review(first, "bob", v1alpha1.VerdictApproved)
		w.settle()
		return w.revert("alice", v1alpha1.SecretChangeSpec{Rollback: &v1alpha1.RollbackSource{Change: first.Name}})
	},
	"a restore": func(w *world) *v1alpha1.SecretChange {
		before := w.with(secretstore.LabelCurrent)
		w.external(edited(w.live(), setC))
		return w.revert("alice", v1alpha1.SecretChangeSpec{Restore: &v1alpha1.RestoreSource{VersionID: v1alpha1.VersionID(before)}})
	},
}
