package project

import (
	"cmp"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/policy"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// MaxVersions is how many restorable versions a status holds at most: no secret
// has more labels.
const MaxVersions = secretstore.MaxLabels

// Foreign returns the UID in a label of ours that belongs to no change that is
// known, or "". record, which may be nil, vouches for versions whose changes
// have been purged since.
func Foreign(s secretstore.Secret, known func(uid string) bool, record *v1alpha1.EnvironmentStatus) string {
	var foreign []string
	for version, labels := range s.Versions {
		for _, label := range labels {
			uid, ours := naming.ChangeUID(label)
			if ours && !known(uid) && !onRecord(record, version) {
				foreign = append(foreign, uid)
			}
		}
	}
	if len(foreign) == 0 {
		return ""
	}
	return slices.Min(foreign)
}

func onRecord(record *v1alpha1.EnvironmentStatus, version string) bool {
	return record != nil && (record.LastAppliedVersionID == version || recorded(record.Versions, version) != nil)
}

func recorded(versions []v1alpha1.RestorableVersion, id string) *v1alpha1.RestorableVersion {
	for i := range versions {
		if versions[i].VersionID == id {
			return &versions[i]
		}
	}
	return nil
}

func (e *environment) writer(uid string) (Change, bool) {
	c, known := e.observed.Writers[uid]
	return c, known
}

// versionsOf are the versions that bear the label of a change which made them
// live, or replaced them.
func (e *environment) versionsOf(s *Secret) []v1alpha1.RestorableVersion {
	var out []v1alpha1.RestorableVersion
	for version, labels := range s.Versions {
		if v := e.restorable(version, labels); v != nil {
			out = append(out, *v)
		}
	}
	return newestFirst(out)
}

// restorable describes a version by the last change that made it live: an
// adoption adds a label to a version that may have one.
func (e *environment) restorable(version string, labels []string) *v1alpha1.RestorableVersion {
	var found *v1alpha1.RestorableVersion
	for _, label := range labels {
		uid, kept, ours := naming.ParseLabel(label)
		if !ours {
			continue
		}
		candidate := recorded(e.out.Versions, version)
		if c, known := e.writer(uid); known {
			candidate = nil
			switch {
			case c.Phase != v1alpha1.PhaseApplied:
			case !kept && c.AppliedVersionID == version:
				candidate = e.entry(c)
			case kept && c.PreviousVersionID == version:
				candidate = e.replaced(c)
			}
		}
		if candidate != nil && (found == nil || later(candidate, found)) {
			found = candidate
		}
	}
	return found
}

// entry names the change only where it can be named: in the same namespace.
func (e *environment) entry(c Change) *v1alpha1.RestorableVersion {
	v := &v1alpha1.RestorableVersion{VersionID: c.AppliedVersionID, Time: &metav1.MicroTime{Time: c.AppliedAt}}
	if c.Namespace == e.project.Namespace {
		v.Change = c.Name
	}
	return v
}

// replaced describes what a change replaced and no change wrote.
func (e *environment) replaced(c Change) *v1alpha1.RestorableVersion {
	v := e.entry(c)
	v.VersionID, v.Change, v.ReplacedBy = c.PreviousVersionID, "", v.Change
	return v
}

// versionsAfter adds what changes have just made live to what is on record. As
// many as the policy keeps stay, and the live one: the others have lost their
// labels before, but for those that a rollback or restore still needed. A version
// that is left out too early would turn foreign where its change is purged.
func (e *environment) versionsAfter(applied []Change) []v1alpha1.RestorableVersion {
	var out []v1alpha1.RestorableVersion
	for _, c := range applied {
		if recorded(out, c.AppliedVersionID) == nil {
			out = append(out, *e.entry(c))
		}
	}
	for _, v := range e.out.Versions {
		if recorded(out, v.VersionID) == nil {
			out = append(out, v)
		}
	}
	for _, c := range applied {
		if c.PreviousVersionID != "" && !c.Adopted && recorded(out, c.PreviousVersionID) == nil {
			out = append(out, *e.replaced(c))
		}
	}
	out = newestFirst(out)
	goesBack := slices.ContainsFunc(applied, func(c Change) bool { return c.GoesBack })
	if effective, ok := policy.For(e.project, e.name); ok && !goesBack {
		out = out[:min(len(out), effective.VersionHistory+1)]
	}
	return out
}

func newestFirst(versions []v1alpha1.RestorableVersion) []v1alpha1.RestorableVersion {
	slices.SortFunc(versions, func(a, b v1alpha1.RestorableVersion) int {
		switch {
		case later(&a, &b):
			return -1
		case later(&b, &a):
			return 1
		case (a.ReplacedBy == "") != (b.ReplacedBy == ""):
			// What a change replaced is older than what it wrote.
			return cmp.Compare(len(a.ReplacedBy), len(b.ReplacedBy))
		default:
			return cmp.Compare(a.VersionID, b.VersionID)
		}
	})
	return versions[:min(len(versions), MaxVersions)]
}

func later(a, b *v1alpha1.RestorableVersion) bool {
	return a.Time != nil && (b.Time == nil || a.Time.After(b.Time.Time))
}

// drift is set where something else is live than what was applied last, or what
// was live at first sight, and where a version bears a foreign label.
func (e *environment) drift(s *Secret) *v1alpha1.Drift {
	known := func(uid string) bool {
		_, known := e.writer(uid)
		return known
	}
	found := &v1alpha1.Drift{
		ExpectedVersionID: cmp.Or(e.out.LastAppliedVersionID, e.out.BaselineVersionID),
		LiveVersionID:     e.out.LiveVersionID,
		ForeignChangeUID:  Foreign(s.Secret, known, e.record),
	}
	moved := found.ExpectedVersionID != "" && found.ExpectedVersionID != found.LiveVersionID && !e.beingApplied(s)
	if !moved && found.ForeignChangeUID == "" {
		return nil
	}
	found.ObservedAt = &metav1.MicroTime{Time: e.now}
	if e.record != nil && e.record.Drift != nil && sameDrift(e.record.Drift, found) {
		found.ObservedAt = e.record.Drift.ObservedAt
	}
	return found
}

func sameDrift(a, b *v1alpha1.Drift) bool {
	return a.ExpectedVersionID == b.ExpectedVersionID && a.LiveVersionID == b.LiveVersionID && a.ForeignChangeUID == b.ForeignChangeUID
}

// beingApplied reports whether the live version is that of a change whose status
// does not say so yet. One that nobody has approved is not being applied: its
// label was put there by somebody who could hide what they made live.
func (e *environment) beingApplied(s *Secret) bool {
	return slices.ContainsFunc(s.Versions[s.Current()], func(label string) bool {
		uid, ours := naming.ChangeUID(label)
		c, known := e.writer(uid)
		return ours && known && c.Phase == v1alpha1.PhaseApproved
	})
}
