package simulation_test

import (
	"maps"
	"slices"
	"time"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/change"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// conflict is no kind of AWS's: the change is not there any more as it was.
const conflict secretstore.Kind = "conflict"

// read adds to the facts what the decision asks for, as package secretchange does.
func (k *worker) read(a change.Action) secretstore.Kind {
	w := k.m.w
	if a.Read == change.ReadFresh {
		return k.readFresh()
	}
	if a.Read == change.ReadHeads {
		k.m.lookUp()
		heads := *k.m.heads
		k.facts.Heads = &heads
		return ""
	}
	if w.chance(w.faults.failedRead) {
		w.happened("AWS: a read fails")
		return []secretstore.Kind{secretstore.KindUnavailable, secretstore.KindThrottled, secretstore.KindDenied, secretstore.KindCredentials}[w.pick(4)]
	}
	switch a.Read {
	case change.ReadStaged:
		k.readStaged()
	case change.ReadStagedValue:
		k.readStagedValue()
	case change.ReadLive:
		k.readLive()
	case change.ReadLiveValue:
		k.readLiveValue(a.ReadVersion)
	case change.ReadOldValue:
		k.readOldValue(a.ReadVersion)
	case change.ReadFresh, change.ReadHeads, change.ReadNothing:
	}
	return ""
}

func (k *worker) readFresh() secretstore.Kind {
	w := k.m.w
	r := w.api.named(k.facts.Change.Name)
	if r.SecretChange == nil || r.UID != k.facts.Change.UID {
		return conflict
	}
	var approved []v1alpha1.SecretChange
	for _, o := range w.api.changes {
		if o.Status.Phase == v1alpha1.PhaseApproved {
			approved = append(approved, *o.SecretChange)
		}
	}
	k.facts.Renew(change.Facts{
		Now: k.m.clock(), Change: r.SecretChange, Project: w.api.project.SecretProject, Trust: w.trust,
		Queue: change.QueueOf(r.SecretChange, approved, w.settings.Identities),
	})
	k.rv, k.asked = r.rv, w.now
	k.seen = w.witness(r, k.m.clock())
	return ""
}

func (k *worker) readStaged() {
	s := k.m.w.aws.stagedBy(k.facts.Change.Spec.Staged.SecretARN)
	k.facts.Staged = &change.Staged{Missing: s == nil}
	if s != nil {
		k.facts.Staged.Secret = s.describe()
	}
}

func (k *worker) readStagedValue() {
	source := k.facts.Change.Spec.Staged
	k.facts.StagedValue = &change.StagedValue{Missing: true}
	s := k.m.w.aws.stagedBy(source.SecretARN)
	if problem(s) != "" {
		return
	}
	if v := s.version(string(source.VersionID)); v != nil {
		k.facts.StagedValue = k.m.w.aws.stagedValue(v.value)
	}
}

func (k *worker) readLive() {
	described := k.m.w.aws.describeLive()
	if attempt := k.facts.Change.Status.Attempt; attempt != nil && attempt.SecretARN != "" && described != nil && described.ARN != attempt.SecretARN {
		described = nil
	}
	if described == nil {
		k.facts.Live = &change.Live{Missing: true}
		return
	}
	k.facts.Live = &change.Live{Secret: *described}
	for _, id := range slices.Sorted(maps.Keys(described.Versions)) {
		for _, label := range described.Versions[id] {
			switch uid, kept, ours := naming.ParseLabel(label); {
			case kept:
				k.facts.Live.Kept = append(k.facts.Live.Kept, k.label(id, uid))
			case ours:
				k.facts.Live.Labels = append(k.facts.Live.Labels, k.label(id, uid))
			}
		}
	}
}

// label looks up the change that a label names, in the cache and on the project's record.
func (k *worker) label(version, uid string) change.Label {
	var named *v1alpha1.SecretChange
	for _, o := range k.m.cache.changes {
		if string(o.UID) == uid {
			named = o.SecretChange
		}
	}
	var record *v1alpha1.EnvironmentStatus
	if k.facts.Project != nil {
		record = k.facts.Project.Status.Environment(environment)
	}
	return change.LabelOf(version, uid, named, record)
}

func (k *worker) readLiveValue(id string) {
	a := k.m.w.aws
	arn := k.facts.Project.Status.Environment(environment).SecretARN
	if k.facts.Live != nil {
		arn = k.facts.Live.Secret.ARN
	}
	k.facts.LiveValue = &change.LiveValue{Missing: true, VersionID: id}
	if a.live == nil || a.live.arn != arn || a.live.deletedAt != nil {
		return
	}
	if id == "" {
		id = a.live.current()
		if old := a.describeLive(); old != nil && a.live.version(old.Current()) != nil {
			id = old.Current()
		}
	}
	if v := a.live.version(id); v != nil {
		k.facts.LiveValue = k.valueOf(v)
	}
}

func (k *worker) readOldValue(id string) {
	value := change.LiveValue{VersionID: id, Missing: true}
	if a := k.m.w.aws; a.live != nil && a.live.arn == k.facts.Live.Secret.ARN {
		if v := a.live.version(id); v != nil {
			value = *k.valueOf(v)
		}
	}
	if k.facts.Versions == nil {
		k.facts.Versions = map[string]change.LiveValue{}
	}
	k.facts.Versions[id] = value
}

func (k *worker) valueOf(v *version) *change.LiveValue {
	value := &change.LiveValue{VersionID: v.id}
	value.Document, value.Err = k.m.w.aws.parse(v.value)
	return value
}

// call does an effect in AWS. Its answer may get lost, it may come late, or not at all.
func (k *worker) call(e change.Effect) secretstore.Kind {
	w := k.m.w
	b := w.books[string(k.facts.Change.UID)]
	r := record{k.facts.Change, k.rv}
	seen, clock := k.seen, k.m.clock()
	status := k.action.Status
	run := func() secretstore.Kind { return w.effect(e, b, r, seen, clock, &status) }
	switch {
	case w.chance(w.faults.refusedCall):
		w.happened("AWS: a call fails before it takes effect")
		return []secretstore.Kind{secretstore.KindUnavailable, secretstore.KindThrottled, secretstore.KindDenied}[w.pick(3)]
	case w.chance(w.faults.lateEffect):
		w.happened("AWS: a call takes effect after it has failed")
		w.aws.delay(w.now.Add(w.within(late)), func() { run() })
		return secretstore.KindUnavailable
	}
	kind := run()
	if kind == "" && w.chance(w.faults.lostAnswer) {
		w.happened("AWS: an answer is lost")
		return secretstore.KindUnavailable
	}
	return kind
}

// effect is what AWS does.
func (w *world) effect(e change.Effect, b *book, r record, seen witness, clock time.Time, status *v1alpha1.SecretChangeStatus) secretstore.Kind {
	before := len(w.lives)
	var kind secretstore.Kind
	switch e.Kind {
	case change.Put:
		kind = w.aws.put(e.Put, b)
	case change.MoveLabel:
		w.judgeLabel(e.Move, b, r, seen, status)
		kind = w.aws.move(e.Move, b)
	case change.DeleteStaged:
		w.judgeDeletion(e.ARN, r, clock)
		w.aws.dropStaged(e.ARN)
	case change.RestoreStaged:
		if s := w.aws.stagedBy(e.ARN); s != nil {
			s.deletedAt, s.described = nil, nil
		}
	case change.NoEffect, change.AddFinalizer, change.RemoveFinalizer:
	}
	if len(w.lives) > before {
		w.tellf("%s is live by %s", w.lives[before].version, b.name)
		w.judgeLive(w.lives[before], r, seen)
	}
	return kind
}
