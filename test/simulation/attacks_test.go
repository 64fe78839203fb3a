package simulation_test

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/sensitive"
)

// attack proposes what must end as Invalid, or do no harm.
func (w *world) attack() {
	who, as := w.somebody()
	name, spec := w.newName(), w.spec(as)
	doc := w.aws.liveDocument()
	patch := document.NewPatch(doc, w.edit(doc))
	_, source := w.stage(name, patch)
	if source == nil {
		return
	}
	spec.Staged = source
	switch w.pick(5) {
	case 0:
		if len(w.ordered) == 0 {
			return
		}
		victim := w.ordered[w.pick(len(w.ordered))]
		if victim.spec.Staged == nil {
			return
		}
		// Where it has the victim's name, after that was purged, it is as good as the victim.
		spec.Staged, patch = victim.spec.Staged, victim.patch
		w.happened("attack: a change names another's staged secret")
	case 1:
		spec.Staged.Digest = document.Digest(sensitive.New("something else"))
		w.happened("attack: a change names another digest")
	case 2:
		spec.Environment = "nowhere"
		w.happened("attack: a change names an environment that there is not")
	case 3:
		spec.Staged.VersionID = v1alpha1.VersionID(w.id())
		w.happened("attack: a change names another version")
	default:
		if len(w.lives) > 0 {
			spec.BaseVersionID = v1alpha1.VersionID(w.lives[w.pick(len(w.lives))].version)
		}
		w.happened("attack: a change lies about its base")
	}
	b := w.created(w.api.create(name, spec), who)
	b.hostile, b.patch, b.stagedARN = true, patch, spec.Staged.SecretARN
}

// forge adds reviews, proposals and statuses under any name, while that is possible.
func (w *world) forge() {
	if !w.tampered {
		return
	}
	open := w.open()
	if len(open) == 0 {
		return
	}
	r := open[w.pick(len(open))]
	switch w.pick(3) {
	case 0:
		b := w.books[string(r.UID)]
		if !b.proven {
			return // see the limits in docs/security.md
		}
		w.happened("attack: a status is forged")
		b.spoilt, w.breakable = true, true
		w.api.update(r.Name, r.UID, 0, func(c *v1alpha1.SecretChange) {
			status := *c.Status.DeepCopy()
			status.Phase = v1alpha1.PhaseApproved
			status.Admission = &v1alpha1.AdmissionRecord{Epoch: w.trust.Epoch + int64(w.pick(3))}
			status.Decision = nil
			c.Status = status
		})
	default:
		w.happened("attack: a review is forged")
		who := w.pick(len(people) - 1)
		w.give(r, who, people[who].names[0], v1alpha1.VerdictApproved)
	}
}

// lapse takes the admission policies out of force.
func (w *world) lapse() {
	if w.trust.Intact {
		w.happened("policies: they are weakened")
		w.trust.Intact, w.tampered = false, true
	}
}

// mend puts the admission policies back in force. As the guard does, it vouches only from the next whole second on, and
// for an epoch that no change bears yet.
func (w *world) mend() {
	if w.trust.Intact {
		return
	}
	w.happened("policies: they are back")
	w.tampered = false
	w.now = w.now.Truncate(time.Second).Add(time.Second)
	for _, r := range w.api.changes {
		if r.Status.Admission != nil {
			w.trust.Epoch = max(w.trust.Epoch, r.Status.Admission.Epoch)
		}
	}
	w.trust.Intact, w.trust.Since = true, w.now
	w.trust.Epoch++
}

// meddle is somebody who goes by AWS alone, with the live secret.
func (w *world) meddle() {
	a := w.aws
	if a.live == nil {
		w.happened("AWS: the live secret is made anew")
		a.makeLive([]document.Document{nil, {"A": sensitive.New(w.id())}}[w.pick(2)])
		return
	}
	switch w.pick(14) {
	case 0, 1:
		if a.live.deletedAt == nil {
			w.happened("AWS: somebody edits what is live")
			a.putCurrent(mustEncode(w.edit(a.liveDocument())))
		}
	case 2, 3:
		w.undo()
	case 4:
		w.undo()
		if a.live.deletedAt == nil {
			w.happened("AWS: somebody edits between two undos")
			a.putCurrent(mustEncode(w.edit(a.liveDocument())))
		}
		w.undo()
	case 5:
		if n := len(a.live.versions); n > 0 {
			w.happened("AWS: somebody makes any version live")
			a.changing()
			a.moveCurrent(a.live.versions[w.pick(n)], nil)
		}
	case 6, 7:
		w.relabel()
	case 8:
		w.happened("AWS: a rotation begins or ends")
		a.changing()
		if a.live.with(secretstore.LabelPending) != nil || len(a.live.versions) == 0 {
			a.live.place(secretstore.LabelPending, nil)
		} else {
			a.live.place(secretstore.LabelPending, a.live.versions[w.pick(len(a.live.versions))])
		}
	case 9:
		w.happened("AWS: what is live becomes no document")
		a.putCurrent(sensitive.New("not a document"))
	case 10:
		w.happened("AWS: the owner's tag changes")
		a.changing()
		a.live.tags = []map[string]string{nil, {naming.TagOwner: "green/demo"}, {naming.TagOwner: cluster + "/other"}}[w.pick(3)]
		a.strange = w.now
	case 11:
		w.happened("AWS: the live secret is scheduled for deletion")
		a.changing()
		a.live.deletedAt = ptr.To(w.now)
	case 12:
		w.happened("AWS: the live secret is deleted")
		w.upheavals++
		a.changing()
		a.live = nil
	default:
		w.mendAWS()
	}
}

// undo is somebody's emergency: the version before is live again.
func (w *world) undo() {
	if previous := w.aws.live.with(secretstore.LabelPrevious); previous != nil {
		w.happened("AWS: somebody makes the version before live again")
		w.aws.changing()
		w.aws.moveCurrent(previous, nil)
	}
}

// foreignUID begins the UIDs of changes that no cluster of this name has had.
const foreignUID = "foreign-"

// relabel takes a label off, moves it, or adds one that no change has.
func (w *world) relabel() {
	a := w.aws
	if len(a.live.versions) == 0 {
		return
	}
	w.breakable = true
	v := a.live.versions[w.pick(len(a.live.versions))]
	labels := slices.DeleteFunc(slices.Clone(v.labels), func(l string) bool { return l == secretstore.LabelCurrent || l == secretstore.LabelPrevious })
	a.changing()
	switch {
	case w.pick(4) == 0 && a.live.labels() < secretstore.MaxLabels:
		w.happened("AWS: somebody adds a foreign label")
		a.live.place(naming.VersionLabel(foreignUID+w.id()[33:]), v)
		a.foreign = w.now
	case len(labels) == 0:
	case w.pick(2) == 0:
		w.happened("AWS: somebody takes a label off")
		a.live.place(labels[w.pick(len(labels))], nil)
	default:
		w.happened("AWS: somebody moves a label")
		label, to := labels[w.pick(len(labels))], a.live.versions[w.pick(len(a.live.versions))]
		if uid, ours := naming.ChangeUID(label); ours && w.books[uid] != nil {
			w.books[uid].mislabelled = true
		}
		w.tellf("somebody moves %s to %s", label, to.id)
		a.live.place(label, to)
	}
}

// mendAWS makes the live secret usable again.
func (w *world) mendAWS() {
	a := w.aws
	if a.live == nil {
		a.makeLive(document.Document{"A": sensitive.New(w.id())})
	}
	w.happened("AWS: somebody mends the live secret")
	a.changing()
	a.live.tags, a.live.deletedAt, a.strange = owned(), nil, time.Time{}
	a.live.place(secretstore.LabelPending, nil)
	if a.live.current() == "" || a.liveDocument() == nil {
		a.putCurrent(mustEncode(document.Document{"A": sensitive.New(w.id())}))
	}
}

// spoil lays hands on what somebody has staged.
func (w *world) spoil() {
	if len(w.aws.staged) == 0 {
		return
	}
	s := w.aws.staged[w.pick(len(w.aws.staged))]
	for _, b := range w.ordered {
		if b.stagedARN == s.arn {
			b.spoilt = true
		}
	}
	s.described = nil
	switch w.pick(5) {
	case 0:
		w.happened("attack: a staged secret is deleted")
		w.aws.dropStaged(s.arn)
	case 1:
		w.happened("attack: a staged secret is scheduled for deletion")
		s.deletedAt = ptr.To(w.now)
	case 2:
		w.happened("attack: a staged secret is tagged as another's")
		tags := map[string]string{}
		for key, value := range s.tags {
			tags[key] = value
		}
		tags[[]string{naming.TagChange, naming.TagNamespace, naming.TagCluster, naming.TagEnvironment, naming.TagStaging}[w.pick(5)]] = "other"
		s.tags = tags
	case 3:
		w.happened("attack: another version is staged")
		s.versions = append(s.versions, &version{id: w.id(), value: sensitive.New("something else")})
	default:
		// By one that is as good but for its digest.
		w.happened("attack: the staged version is replaced")
		patch := document.NewPatch(w.aws.liveDocument(), w.edit(w.aws.liveDocument()))
		if other, err := stagedDocument(s.tags[naming.TagChange], patch); err == nil {
			s.versions = []*version{{id: s.versions[0].id, value: other}}
		}
	}
}

// administer is the project's owner, who may do anything to it.
func (w *world) administer() {
	switch w.pick(8) {
	case 0:
		if w.api.project.SecretProject != nil {
			w.happened("project: it is deleted")
			w.projectless = true
			w.api.storeProject(nil)
		}
	case 1, 2:
		if w.api.project.SecretProject == nil {
			w.happened("project: it is made anew")
			w.api.makeProject(v1alpha1.SecretProjectSpec{Environments: []v1alpha1.Environment{{Name: environment}}})
			w.drawPolicy()
		}
	case 3:
		w.happened("project: an environment goes or comes")
		w.projectless = true
		w.api.editProject(func(p *v1alpha1.SecretProjectSpec) {
			p.Environments[0].Name = []string{environment, "elsewhere"}[w.pick(2)]
		})
	case 4:
		w.happened("project: a freeze begins or ends")
		w.api.editProject(func(p *v1alpha1.SecretProjectSpec) { p.Suspend = ptr.To(w.pick(3) == 0) })
	case 5:
		w.happened("project: the time to live changes")
		w.api.editProject(func(p *v1alpha1.SecretProjectSpec) {
			p.ChangeTTL = &metav1.Duration{Duration: []time.Duration{time.Minute, time.Hour, 48 * time.Hour, 168 * time.Hour}[w.pick(4)]}
		})
	default:
		w.happened("project: the policy changes")
		w.drawPolicy()
	}
}

// purge deletes a change, also one that has not ended. Git may make it anew.
func (w *world) purge() {
	if len(w.api.changes) == 0 {
		return
	}
	r := w.api.changes[w.pick(len(w.api.changes))]
	w.happened("people: a change is purged")
	w.breakable = true
	w.tellf("%s is purged", r.Name)
	w.api.remove(r)
	if w.pick(3) == 0 && w.api.named(r.Name).SecretChange == nil {
		w.happened("people: Git makes a purged change anew")
		spec := r.Spec
		spec.Reviews = nil
		old := w.books[string(r.UID)]
		b := w.created(w.api.create(r.Name, spec), old.proposer)
		b.patch, b.stagedARN, b.hostile, b.spoilt = old.patch, old.stagedARN, old.hostile, true
	}
}
