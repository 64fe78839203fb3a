// Package simulation_test plays random schedules of people, attackers, administrators, crashing managers and a lying
// clock against the pure core, in a model of the API server and of AWS, and judges what becomes live by books of its own.
package simulation_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	"k8s.io/utils/ptr"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/change"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/policy"
	"github.com/secretreview/secretreview/internal/project"
	"github.com/secretreview/secretreview/internal/sensitive"
)

const (
	cluster     = "blue"
	namespace   = "demo"
	projectName = "api"
	environment = "production"
	region      = "eu-west-1"
	account     = "111122223333"
	liveName    = naming.DefaultPrefix + projectName + "/" + environment

	// grace is how old the manager takes an answer of AWS to be; staleness is how old one really is at most. Between them
	// lie the managers' clocks, of which two differ by skew at most where they do not jump.
	grace     = time.Minute
	staleness = 30 * time.Second
	skew      = 5 * time.Second
	// sealEvery is in which schedules the audit chains are kept.
	sealEvery = 8
	// late is how long after the call that failed its effect may still come.
	late = 5 * time.Second
)

// world is everything around the core.
type world struct {
	random *rand.Rand
	// now is the true time; managers have clocks of their own.
	now      time.Time
	settings change.Settings
	projects project.Settings
	aws      *secretsManager
	api      *apiServer
	managers []*manager
	trust    change.Trust
	// books are what the oracle knows, by the UIDs of changes, and in the order of their creation.
	books   map[string]*book
	ordered []*book
	// lives is what became live, in order.
	lives []birth
	// upheavals is how often something else became live, or the live secret went or came.
	upheavals int
	// quietSince is when all faults and attacks ended, zero before that.
	quietSince time.Time
	// faults are per thousand; 0 in the quiet.
	faults faults
	// wild says that the managers' clocks jump; then AWS tells the truth, because nobody can tell an answer's age without
	// a clock.
	wild bool
	// sealed says that the audit chains are kept, which takes half of the time of a schedule; breakable that somebody did
	// what they are to show.
	sealed, breakable bool
	ids               int
	// unproven says that names could be forged just now.
	tampered bool
	// projectless says that the project, or its environment, was once missing.
	projectless bool
	tally       tally
	traced      bool
	trace       []string
	violations  []string
}

// faults are chances, per thousand.
type faults struct {
	lostAnswer, lateEffect, failedRead, refusedCall, stale, forgetful, crash, conflict int
}

// chance is true so many times of a thousand.
func (w *world) chance(perThousand int) bool {
	return perThousand > 0 && w.random.IntN(1000) < perThousand
}

func (w *world) pick(n int) int { return w.random.IntN(n) }

// within is a random duration below d.
func (w *world) within(d time.Duration) time.Duration {
	return time.Duration(w.random.Int64N(int64(d)))
}

// happened counts an event for the histogram.
func (w *world) happened(what string) {
	w.tally[what]++
	if w.traced {
		w.tellf("%s", what)
	}
}

func (w *world) tellf(format string, args ...any) {
	if w.traced {
		w.trace = append(w.trace, w.now.Format("02 15:04:05.000 ")+fmt.Sprintf(format, args...))
	}
}

func (w *world) violatef(format string, args ...any) {
	violation := fmt.Sprintf(format, args...)
	w.violations = append(w.violations, violation)
	w.tellf("VIOLATION: %s", violation)
}

// id is the next of all the UUIDs that are drawn.
func (w *world) id() string {
	w.ids++
	return fmt.Sprintf("00000000-0000-4000-8000-%012d", w.ids)
}

func newWorld(seed uint64, counted tally, traced bool) *world {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	w := &world{
		random: rand.New(rand.NewPCG(seed, 1)), now: start, tally: counted, traced: traced,
		trust: change.Trust{Intact: true, Epoch: 1, Since: start.Add(-time.Hour)},
		books: map[string]*book{}, sealed: seed%sealEvery == 0,
	}
	w.settings = change.Settings{
		Cluster: cluster, Prefix: naming.DefaultPrefix, Region: region, Account: account,
		RequireOwnerTag: true, ConsistencyGrace: grace, ProjectGrace: 2 * time.Minute, NewNonce: w.id,
		Identities: policy.NewIdentities(policy.Listed{
			ReviewingAccounts: []string{listedAccount}, ProposingAccounts: []string{listedAccount},
			SessionEnforcedRoles: []string{"arn:aws:iam::" + account + ":role/enforced"},
		}),
	}
	w.projects = project.Settings{Cluster: cluster, Prefix: naming.DefaultPrefix, Region: region, RequireOwnerTag: true}
	w.aws = newSecretsManager(w)
	w.api = &apiServer{w: w}
	w.aws.makeLive(document.Document{"A": sensitive.New("1"), "B": sensitive.New("2")})
	w.api.makeProject(v1alpha1.SecretProjectSpec{Environments: []v1alpha1.Environment{{Name: environment}}})
	w.managers = []*manager{newManager(w)}
	w.drawPolicy()
	w.drawFaults()
	w.managers[0].projects(false)
	w.breakable = false
	return w
}

// drawPolicy begins with any policy.
func (w *world) drawPolicy() {
	w.api.editProject(func(p *v1alpha1.SecretProjectSpec) {
		p.Environments[0].RequiredApprovals = ptr.To(int32(w.pick(3)))
		if w.pick(2) == 0 {
			p.ConflictPolicy = v1alpha1.ConflictByKey
		}
		if w.pick(3) == 0 {
			p.PreventSelfApproval = ptr.To(false)
		}
		if w.pick(4) == 0 {
			p.VersionHistory = ptr.To(int32(1 + w.pick(3)))
		}
		if w.pick(4) == 0 {
			p.HistoryLimit = ptr.To(int32(1 + w.pick(3)))
		}
		if w.pick(6) == 0 {
			p.PendingLimit = ptr.To(int32(1 + w.pick(2)))
		}
		if w.pick(4) == 0 {
			p.Rollback = &v1alpha1.RollbackPolicy{RequireReview: ptr.To(true)}
		}
	})
}

// drawFaults makes most worlds bad in some ways and good in others.
func (w *world) drawFaults() {
	upTo := func(most int) int {
		if w.pick(3) == 0 {
			return 0
		}
		return w.pick(most)
	}
	w.wild = w.pick(4) == 0
	w.faults = faults{
		lostAnswer: upTo(200), lateEffect: upTo(80), failedRead: upTo(60), refusedCall: upTo(60), stale: upTo(300),
		forgetful: upTo(1000), crash: upTo(60), conflict: upTo(60),
	}
	if w.wild {
		w.faults.stale, w.faults.lateEffect = 0, 0
	}
}
