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
		object.SetCreationTimestamp(serverTime)
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
	if wait := g.round(t.Context()); wait != timePrecision || g.State().Intact {
		t.Errorf("it looks again in %s, with %+v", wait, g.State())
	}
	later := metav1.NewTime(serverTime.Add(timePrecision))
	g.trial.Client = interceptor.NewClient(c.(client.WithWatch), interceptor.Funcs{
		Create: func(_ context.Context, _ client.WithWatch, object client.Object, _ ...client.CreateOption) error {
			object.(*v1alpha1.SecretChange).CreationTimestamp = later
			return says.to(object.(*v1alpha1.SecretChange))
		},
	})
	g.round(t.Context())
	if state := g.State(); !state.Intact || state.Epoch == lapsed.Epoch || !state.Since.Equal(later.Time) {
		t.Errorf("got %+v", state)
	}
}

func TestAWeakeningDuringTheCheckIsALapse(t *testing.T) {
	t.Parallel()
	generation := int64(1)
	g, _ := onServer(t, &answers{nil, errByPolicy, errByPolicy}, func(c client.Client) {
		// Weakened and put right at once: only the generation tells.
		ref, _ := named(t, asApplied(expect(t, Options{})), policyKind, IdentityPolicy)
		found, err := (&Guard{config: Config{Reader: c}, expected: expect(t, Options{})}).find(t.Context())
		if err != nil {
			t.Error(err)
			return
		}
		generation++
		found[ref].SetGeneration(generation)
		if err := c.Update(t.Context(), found[ref]); err != nil {
			t.Error(err)
		}
	})
	state, _, err := g.look(t.Context())
	if err != nil || state.Intact || !strings.Contains(state.Reason, "while they were checked") {
		t.Errorf("got %+v, %v", state, err)
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
