package guard

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	testclock "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

var (
	serverTime = metav1.NewTime(time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC))
	changes    = schema.GroupResource{Group: v1alpha1.GroupName, Resource: "secretchanges"}
	// errByPolicy and errByOther are refusals, as the API server words them.
	errByPolicy = apierrors.NewForbidden(changes, "x", errors.New(refusal+": no"))
	errByOther  = apierrors.NewForbidden(changes, "x", errors.New("ValidatingAdmissionPolicy 'other' with binding 'other' denied request: no"))
)

// answers are what an API server says to trials.
type answers struct{ honest, forgedProposer, forgedReview error }

func (a answers) to(change *v1alpha1.SecretChange) error {
	switch {
	case change.Spec.ProposedBy == forgedUser:
		return a.forgedProposer
	case len(change.Spec.Reviews) > 0:
		return a.forgedReview
	default:
		return a.honest
	}
}

// onServer returns a guard of an API server that holds what is shipped, and answers trials so. before, if not nil, is
// called ahead of each trial.
func onServer(t *testing.T, says *answers, before func(c client.Client)) (*Guard, client.Client) {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := errors.Join(corev1.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	builder := fake.NewClientBuilder().WithScheme(scheme)
	for _, object := range asApplied(expect(t, Options{})) {
		object.SetCreationTimestamp(metav1.NewTime(serverTime.Add(-time.Minute)))
		builder = builder.WithObjects(object)
	}
	c := builder.WithInterceptorFuncs(interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, object client.Object, options ...client.CreateOption) error {
			change, isTrial := object.(*v1alpha1.SecretChange)
			if !isTrial {
				return c.Create(ctx, object, options...)
			}
			if before != nil {
				before(c)
			}
			change.CreationTimestamp = serverTime
			return says.to(change)
		},
	}).Build()
	g, err := New(Config{Namespace: "system", Client: c, Reader: c, Clock: testclock.NewFakeClock(serverTime.Time)})
	if err != nil {
		t.Fatal(err)
	}
	return g, c
}

// pass lets time go by.
func pass(g *Guard, span time.Duration) { g.config.Clock.(*testclock.FakeClock).Step(span) }

// edit makes an object count as changed, though it is what it was.
func edit(t *testing.T, c client.Client, kind, name string) {
	t.Helper()
	ref, _ := named(t, asApplied(expect(t, Options{})), kind, name)
	found, err := (&Guard{config: Config{Reader: c}, expected: expect(t, Options{})}).find(t.Context())
	if err != nil {
		t.Error(err)
		return
	}
	found[ref].SetGeneration(found[ref].GetGeneration() + 1)
	if err := c.Update(t.Context(), found[ref]); err != nil {
		t.Error(err)
	}
}

func TestWhatATrialProves(t *testing.T) {
	t.Parallel()
	outage := errors.New("connection refused")
	cases := map[string]struct {
		says answers
		// weakness and doubt are parts of what is said; both empty means that all is proven.
		weakness, doubt string
	}{
		"forgeries refused by the policy prove it": {
			answers{nil, errByPolicy, errByPolicy}, "", "",
		},
		"a forged proposer let in is a weakness": {
			answers{nil, nil, errByPolicy}, "let in a forged proposer", "",
		},
		"a forged review let in is a weakness": {
			answers{nil, errByPolicy, nil}, "let in a forged review", "",
		},
		"an honest change refused proves nothing": {
			answers{errByPolicy, errByPolicy, errByPolicy}, "", "an honest change in system was not let in",
		},
		"forgeries refused by somebody else prove nothing": {
			answers{nil, errByOther, errByOther}, "", "but not by secretreview-identity",
		},
		"an outage proves nothing": {
			answers{outage, outage, outage}, "", "connection refused",
		},
		"an outage in the middle proves nothing": {
			answers{nil, errByPolicy, outage}, "", "connection refused",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, _ := onServer(t, &c.says, nil)
			state, settled, err := g.look(t.Context())
			if (err != nil) != (c.doubt != "") || (err != nil && !strings.Contains(err.Error(), c.doubt)) {
				t.Fatalf("got the error %v, want one with %q", err, c.doubt)
			}
			if proven := c.weakness == "" && c.doubt == ""; state.Intact != proven || !strings.Contains(state.Reason, c.weakness) {
				t.Errorf("got %+v", state)
			}
			if err == nil && !settled {
				t.Error("it is not settled")
			}
		})
	}
}

func TestDoubtLeavesTheRecordAlone(t *testing.T) {
	t.Parallel()
	says := answers{nil, errByPolicy, errByPolicy}
	g, c := onServer(t, &says, nil)
	g.round(t.Context())
	before := recordOf(t, c)
	says = answers{errors.New("connection refused"), nil, nil}
	g.round(t.Context())
	if after := recordOf(t, c); after != before {
		t.Errorf("got %s, want %s", after, before)
	}
	if !g.State().Intact {
		t.Errorf("a moment's doubt is no lapse: %+v", g.State())
	}
}

func TestALapseEndsWithANewEpochThatBeginsInTheNextSecond(t *testing.T) {
	t.Parallel()
	says := answers{nil, nil, errByPolicy}
	g, c := onServer(t, &says, nil)
	g.round(t.Context())
	lapsed := g.State()
	if lapsed.Intact || lapsed.Epoch == 0 {
		t.Fatalf("got %+v", lapsed)
	}
	says = answers{nil, errByPolicy, errByPolicy}
	pass(g, EnforcementDelay)
	if wait := g.round(t.Context()); wait != timePrecision || g.State().Intact {
		t.Errorf("it looks again in %s, with %+v", wait, g.State())
	}
	later := metav1.NewTime(serverTime.Add(timePrecision))
	serves(g, c, later)
	g.round(t.Context())
	if state := g.State(); !state.Intact || state.Epoch == lapsed.Epoch || !state.Since.Equal(later.Time) {
		t.Errorf("got %+v", state)
	}
}

func TestAWeakeningDuringTheCheckIsALapse(t *testing.T) {
	t.Parallel()
	g, _ := onServer(t, &answers{nil, errByPolicy, errByPolicy}, func(c client.Client) {
		// Weakened and put right at once: only the generation tells.
		edit(t, c, policyKind, IdentityPolicy)
	})
	state, _, err := g.look(t.Context())
	if err != nil || state.Intact || !strings.Contains(state.Reason, "while they were checked") {
		t.Errorf("got %+v, %v", state, err)
	}
}

func TestAnEpochBeginsOnceEveryAPIServerHasHeardOfTheLastChange(t *testing.T) {
	t.Parallel()
	trials := 0
	g, c := onServer(t, &answers{nil, errByPolicy, errByPolicy}, func(client.Client) { trials++ })
	look := func() State {
		t.Helper()
		g.round(t.Context())
		return g.State()
	}
	first := look()
	if !first.Intact {
		t.Fatalf("got %+v", first)
	}
	tried := trials
	held := func(after string) {
		t.Helper()
		if state := look(); state.Intact || !strings.Contains(state.Reason, "checked in a moment") || trials != tried {
			t.Fatalf("%s: got %+v after %d trials", after, state, trials-tried)
		}
	}
	edit(t, c, policyKind, IdentityPolicy)
	held("an edit")
	pass(g, EnforcementDelay-time.Second)
	held("an edit, a moment too early")
	edit(t, c, policyKind, IdentityPolicy)
	held("another edit")
	pass(g, EnforcementDelay-time.Second)
	held("another edit, a moment too early")
	pass(g, time.Second)
	serves(g, c, metav1.NewTime(serverTime.Add(time.Minute)))
	look() // begins with the next second
	serves(g, c, metav1.NewTime(serverTime.Add(time.Minute+timePrecision)))
	if state := look(); !state.Intact || state.Epoch == first.Epoch {
		t.Errorf("got %+v", state)
	}
}

func TestWhatCannotBeProvenAfterAChangeSaysWhy(t *testing.T) {
	t.Parallel()
	says := answers{nil, errByPolicy, errByPolicy}
	g, c := onServer(t, &says, nil)
	g.round(t.Context())
	edit(t, c, policyKind, IdentityPolicy)
	g.round(t.Context())
	says.honest = errors.New("connection refused")
	pass(g, EnforcementDelay)
	g.round(t.Context())
	if state := g.State(); state.Intact || !strings.Contains(state.Reason, "connection refused") {
		t.Errorf("got %+v", state)
	}
}

// serves has the API server's clock show a time.
func serves(g *Guard, c client.Client, now metav1.Time) {
	g.trial.Client = interceptor.NewClient(c.(client.WithWatch), interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, object client.Object, options ...client.CreateOption) error {
			err := c.Create(ctx, object, options...)
			object.SetCreationTimestamp(now)
			return err
		},
	})
}

func TestAManagerThatStartsAnewGoesOnAtOnceWhereNothingHasChanged(t *testing.T) {
	t.Parallel()
	says := answers{nil, errByPolicy, errByPolicy}
	g, c := onServer(t, &says, nil)
	g.round(t.Context())
	before := g.State()
	again, err := New(Config{Namespace: "system", Client: c, Reader: c, Clock: g.config.Clock})
	if err != nil {
		t.Fatal(err)
	}
	again.round(t.Context())
	if state := again.State(); !state.Intact || state.Epoch != before.Epoch {
		t.Errorf("got %+v after %+v", state, before)
	}
}

func TestTheFirstEpochBeginsOncePoliciesThatWereJustMadeAreEnforced(t *testing.T) {
	t.Parallel()
	g, c := onServer(t, &answers{nil, errByPolicy, errByPolicy}, nil)
	made := serverTime.Add(-time.Minute)
	for shown, intact := range map[time.Duration]bool{0: false, EnforcementDelay - time.Second: false, EnforcementDelay: true} {
		serves(g, c, metav1.NewTime(made.Add(shown)))
		if state, _, err := g.look(t.Context()); err != nil || state.Intact != intact || !state.Since.Equal(made.Add(EnforcementDelay)) {
			t.Errorf("%s after they were made: got %+v, %v", shown, state, err)
		}
	}
}

func TestAWeaknessThatCouldNotBePutOnRecordIsStillALapse(t *testing.T) {
	t.Parallel()
	says := answers{nil, errByPolicy, errByPolicy}
	g, c := onServer(t, &says, nil)
	g.round(t.Context())
	before := g.State()
	says.forgedProposer = nil
	g.store.writer = interceptor.NewClient(c.(client.WithWatch), interceptor.Funcs{
		Update: func(context.Context, client.WithWatch, client.Object, ...client.UpdateOption) error {
			return errors.New("refused")
		},
	})
	g.round(t.Context())
	says.forgedProposer, g.store.writer = errByPolicy, c
	pass(g, EnforcementDelay)
	g.round(t.Context())
	if state := g.State(); state.Epoch == before.Epoch {
		t.Errorf("the epoch goes on: %+v", state)
	}
}

func TestTwoManagersDoNotOverwriteEachOthersRecord(t *testing.T) {
	t.Parallel()
	g, _ := onServer(t, &answers{nil, errByPolicy, errByPolicy}, nil)
	ctx := t.Context()
	if err := g.store.save(ctx, nil, record{Epoch: 1}); err != nil {
		t.Fatal(err)
	}
	_, seen, err := g.store.load(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.store.save(ctx, seen, record{Epoch: 2}); err != nil {
		t.Fatal(err)
	}
	if err := g.store.save(ctx, seen, record{Epoch: 3}); !apierrors.IsConflict(err) {
		t.Errorf("the second write on what was read once got %v", err)
	}
	if err := g.store.save(ctx, nil, record{Epoch: 1}); !apierrors.IsAlreadyExists(err) {
		t.Errorf("a second first record got %v", err)
	}
	if known, _, err := g.store.load(ctx); err != nil || known.Epoch != 2 {
		t.Errorf("got %+v, %v", known, err)
	}
}

func TestAMalformedRecordIsNotTakenForNone(t *testing.T) {
	t.Parallel()
	g, c := onServer(t, &answers{nil, errByPolicy, errByPolicy}, nil)
	broken := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "system", Name: ConfigMapName}, Data: map[string]string{recordKey: "{"}}
	if err := c.Create(t.Context(), broken); err != nil {
		t.Fatal(err)
	}
	g.round(t.Context())
	if state := g.State(); state.Intact || !strings.Contains(state.Reason, "malformed, delete the ConfigMap") {
		t.Errorf("got %+v", state)
	}
}

func recordOf(t *testing.T, c client.Client) string {
	t.Helper()
	stored := &corev1.ConfigMap{}
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: "system", Name: ConfigMapName}, stored); err != nil {
		t.Fatal(err)
	}
	return stored.Data[recordKey]
}
