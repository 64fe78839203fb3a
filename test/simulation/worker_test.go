package simulation_test

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/audit"
	"github.com/secretreview/secretreview/internal/change"
	"github.com/secretreview/secretreview/internal/live"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// manager is one process: what it remembers ends with it.
type manager struct {
	w       *world
	cache   cache
	workers []*worker
	// asleep is until when its process stands still.
	asleep time.Time
	// offset is how far its clock is ahead.
	offset time.Duration
	// writes is the last version that it wrote of each change, until its cache shows that.
	writes map[types.UID]int
	// heads are the newest records of the audit chains, nil until they have been looked up.
	heads *audit.Heads
	// listed is what its last listing showed of staged secrets.
	listed []secretstore.Secret
}

// concurrency is how many changes a manager works on at once.
const concurrency = 2

func newManager(w *world) *manager {
	m := &manager{w: w, writes: map[types.UID]int{}}
	for range concurrency {
		m.workers = append(m.workers, &worker{m: m})
	}
	if !w.wild {
		m.offset = w.within(skew) - skew/2
	}
	m.cache.sync(w.api)
	return m
}

func (m *manager) clock() time.Time { return m.w.now.Add(m.offset) }

// stage is where a worker stands: between any two of its calls, everything may happen.
type stage int

const (
	idle stage = iota
	deciding
	recording
	acting
	closing
)

// worker is one reconcile on its way, as package secretchange does it.
type worker struct {
	m      *manager
	stage  stage
	facts  change.Facts
	rv     int
	action change.Action
	others []v1alpha1.SecretChange
	// seen is what the oracle saw when everything was read past the cache.
	seen witness
	// did says that the last reconcile has done something, after when it asks to be called again.
	did bool
	// asked is the true time of facts.Now.
	asked time.Time
	after time.Duration
}

// begin takes up a change, as the cache has it.
func (k *worker) begin(r record) {
	k.did, k.after, k.seen = false, 0, witness{}
	if written, remembered := k.m.writes[r.UID]; remembered {
		if r.rv < written {
			return
		}
		delete(k.m.writes, r.UID)
	}
	k.facts = change.Facts{Now: k.m.clock(), Change: r.SecretChange, Project: k.m.cache.project.SecretProject, Trust: k.m.w.trust}
	k.rv, k.asked = r.rv, k.m.w.now
	k.others = k.others[:0]
	for _, o := range k.m.cache.changes {
		if r.Spec.Staged == nil || !o.Status.Phase.Finished() {
			k.others = append(k.others, *o.SecretChange)
		}
	}
	k.facts.Queue = change.QueueOf(r.SecretChange, k.others, k.m.w.settings.Identities)
	k.stage = deciding
}

// step does the next call.
func (k *worker) step() {
	switch k.stage {
	case idle:
	case deciding:
		k.decide()
	case recording:
		k.record()
	case acting:
		k.act()
	case closing:
		if !k.action.StatusFirst && !k.write(k.action.Status) {
			break
		}
		k.did = k.did || k.action.Again
		k.after = k.action.After
		k.stage = idle
	}
}

func (k *worker) decide() {
	a := change.Decide(k.m.w.settings, k.facts)
	if a.Read != change.ReadNothing {
		k.m.w.happened("read: " + string(a.Read))
		k.m.w.tellf("%s of %s reads %s %s", k.name(), k.facts.Change.Name, a.Read, a.ReadVersion)
		if kind := k.read(a); kind != "" {
			k.fail(kind)
		}
		return
	}
	k.perform(a)
}

func (k *worker) perform(a change.Action) {
	k.action, k.stage = a, recording
	if a.Effect.Kind != change.NoEffect {
		k.m.w.tellf("%s of %s decides: %s %s", k.name(), k.facts.Change.Name, a.Effect.Kind, a.Effect.Move.Label)
	}
}

func (k *worker) name() string {
	return "manager " + string('a'+rune(slices.Index(k.m.w.managers, k.m)))
}

// record writes the status where it must be on record before the effect.
func (k *worker) record() {
	k.stage = acting
	if k.action.StatusFirst && !change.SameFacts(k.facts.Change.Status, k.action.Status) {
		k.write(k.action.Status)
	}
}

// write stores the status, if nobody was faster. It reports whether to go on.
func (k *worker) write(status v1alpha1.SecretChangeStatus) bool {
	old := &k.facts.Change.Status
	if same(old, &status) {
		return true
	}
	w := k.m.w
	ends := !old.Phase.Finished() && status.Phase.Finished()
	if ends {
		status.Audit = k.m.seal(k.facts.Change, status)
	}
	r, ok := record{}, false
	if !w.chance(w.faults.conflict) {
		r, ok = w.api.update(k.facts.Change.Name, k.facts.Change.UID, k.rv, func(c *v1alpha1.SecretChange) {
			w.judgeStatus(c, &status)
			c.Status = status
		})
	}
	if !ok {
		w.happened("API: a write lost against a newer object")
		k.stage, k.did = idle, true
		return false
	}
	k.took(r)
	if ends && w.sealed {
		heads := k.m.heads.With(r.SecretChange)
		k.m.heads = &heads
	}
	k.seen.written(w, r)
	k.did = k.did || old.Phase != status.Phase
	if old.Phase != status.Phase || old.Message != status.Message {
		w.tellf("%s: %s is %s: %s", k.name(), r.Name, status.Phase, status.Message)
	}
	return true
}

// lookUp finds the newest records in the cache, where that has not been done yet.
func (m *manager) lookUp() {
	if m.heads == nil {
		m.heads = &audit.Heads{}
		for _, r := range m.cache.changes {
			*m.heads = m.heads.With(r.SecretChange)
		}
	}
}

// seal makes a change that ends the next record of its chain.
func (m *manager) seal(c *v1alpha1.SecretChange, status v1alpha1.SecretChangeStatus) *v1alpha1.AuditSeal {
	if !m.w.sealed {
		return nil
	}
	m.lookUp()
	ended := *c
	ended.Status = status
	return m.heads.Seal(&ended)
}

// took goes on with what was just written.
func (k *worker) took(r record) {
	k.facts.Change, k.rv = r.SecretChange, r.rv
	k.m.writes[r.UID] = r.rv
}

// act does the effect.
func (k *worker) act() {
	w, e := k.m.w, k.action.Effect
	k.stage = closing
	if e.Kind == change.NoEffect {
		return
	}
	if k.late(e) {
		w.happened("managers: an effect is given up because it is late")
		if e.MakesLive() {
			k.perform(change.MoveRefused(w.settings, k.copied(), v1alpha1.ReasonSecretUnusable, "Waiting: refused"))
		} else {
			k.fail(secretstore.KindUnavailable)
		}
		return
	}
	w.happened("effect: " + string(e.Kind))
	k.did = true
	if e.Kind == change.AddFinalizer || e.Kind == change.RemoveFinalizer {
		k.finalizer(e.Kind)
		return
	}
	switch kind := k.call(e); {
	case kind == "":
	case e.Kind == change.Put && kind == secretstore.KindExists:
		k.perform(change.RetryPut(w.settings, k.copied()))
	case e.MakesLive() && kind == secretstore.KindInvalidState:
		w.happened("AWS: a move is refused")
		k.perform(change.MoveRefused(w.settings, k.copied(), v1alpha1.ReasonSecretUnusable, "Waiting: refused"))
	default:
		k.fail(kind)
	}
}

// late reports whether the time for an effect is over, by the clock on the wall or by one that nobody can set.
func (k *worker) late(e change.Effect) bool {
	deadline := k.m.w.settings.Deadline(k.facts, e)
	passed := k.m.w.now.Sub(k.asked)
	return !deadline.IsZero() && (!k.m.clock().Before(deadline) || !k.facts.Now.Add(passed).Before(deadline))
}

// copied is for what writes into the facts.
func (k *worker) copied() change.Facts {
	facts := k.facts
	facts.Change = facts.Change.DeepCopy()
	return facts
}

func (k *worker) finalizer(kind change.EffectKind) {
	r, ok := k.m.w.api.update(k.facts.Change.Name, k.facts.Change.UID, k.rv, func(c *v1alpha1.SecretChange) {
		c.Finalizers = nil
		if kind == change.AddFinalizer {
			c.Finalizers = []string{v1alpha1.Finalizer}
		}
	})
	if !ok {
		k.stage = idle
		return
	}
	k.took(r)
	if r.DeletionTimestamp != nil && len(r.Finalizers) == 0 {
		delete(k.m.writes, r.UID)
		k.stage = idle
	}
}

// fail records what hinders the change.
func (k *worker) fail(kind secretstore.Kind) {
	k.stage = idle
	if kind == conflict {
		return
	}
	a := change.Blocked(k.m.w.settings, k.facts, live.Reasons[kind], "Waiting, will be tried again: "+string(kind))
	k.write(a.Status)
	k.stage, k.did = idle, true
}

// same compares what matters of two statuses.
func same(a, b *v1alpha1.SecretChangeStatus) bool {
	if a.Phase != b.Phase || a.Message != b.Message || a.ObservedGeneration != b.ObservedGeneration || a.Approvals != b.Approvals ||
		a.StagedDeleted != b.StagedDeleted || a.BaseVersionID != b.BaseVersionID || (a.Attempt == nil) != (b.Attempt == nil) ||
		(a.Decision == nil) != (b.Decision == nil) || (a.Admission == nil) != (b.Admission == nil) || (a.ExpiresAt == nil) != (b.ExpiresAt == nil) {
		return false
	}
	if a.Attempt != nil && (a.Attempt.VersionID != b.Attempt.VersionID || a.Attempt.Moved != b.Attempt.Moved ||
		a.Attempt.Refused != b.Attempt.Refused || a.Attempt.SecretARN != b.Attempt.SecretARN ||
		a.Attempt.CurrentVersionID != b.Attempt.CurrentVersionID || a.Attempt.PreviousVersionID != b.Attempt.PreviousVersionID ||
		!a.Attempt.SteppedAt.Equal(b.Attempt.SteppedAt)) {
		return false
	}
	if a.Decision != nil && (a.Decision.ProjectUID != b.Decision.ProjectUID || a.Decision.ProjectGeneration != b.Decision.ProjectGeneration) {
		return false
	}
	if a.Admission != nil && (a.Admission.Epoch != b.Admission.Epoch || !slices.Equal(a.Admission.Discounted, b.Admission.Discounted)) {
		return false
	}
	return a.ExpiresAt == nil || a.ExpiresAt.Equal(b.ExpiresAt)
}
