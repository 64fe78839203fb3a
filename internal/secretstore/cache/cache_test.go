package cache_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/secretstore/aws"
	"github.com/secretreview/secretreview/internal/secretstore/cache"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/internal/secretstore/storetest"
	"github.com/secretreview/secretreview/internal/sensitive"
)

type bench struct {
	*testing.T
	emulator *emulator.Emulator
	behind   secretstore.Store
	cache    *cache.Store
	now      time.Time
}

func newBench(t *testing.T, o cache.Options) *bench {
	t.Helper()
	b := &bench{T: t, emulator: emulator.New(emulator.Options{}), now: time.Unix(1_700_000_000, 0)}
	server := httptest.NewServer(b.emulator)
	t.Cleanup(server.Close)
	adapter, err := aws.New(t.Context(), aws.Options{
		Region: emulator.DefaultRegion, EndpointURL: server.URL, WritesPerSecond: 10_000,
		Credentials: &aws.StaticCredentials{AccessKeyID: "alice", SecretAccessKey: "s"},
	})
	if err != nil {
		t.Fatal(err)
	}
	o.Now = func() time.Time { return b.now }
	b.behind, b.cache = adapter, cache.New(adapter, o)
	return b
}

// secret makes one, past the cache.
func (b *bench) secret(name, value string) (arn, version string) {
	b.Helper()
	v, err := b.behind.Create(b.Context(), secretstore.CreateInput{Name: name, VersionID: uuid.NewString(), Value: sensitive.New(value)})
	if err != nil {
		b.Fatal(err)
	}
	return v.ARN, v.VersionID
}

func (b *bench) get(in secretstore.GetInput) string {
	b.Helper()
	v, err := b.cache.Get(b.Context(), in)
	if err != nil {
		b.Fatal(err)
	}
	return v.Value.Reveal()
}

// reads is how many values were read from the service so far.
func (b *bench) reads() int {
	n := 0
	for _, c := range emulator.Invocations(b.emulator.Calls()) {
		if c.Operation == "GetSecretValue" {
			n++
		}
	}
	return n
}

func TestAPinnedVersionIsReadOnce(t *testing.T) {
	b := newBench(t, cache.Options{})
	arn, id := b.secret("n", "one")
	for range 3 {
		if got := b.get(secretstore.GetInput{ID: arn, VersionID: id}); got != "one" {
			t.Errorf("read %s", got)
		}
	}
	if b.reads() != 1 {
		t.Errorf("it was read %d times", b.reads())
	}
	v, err := b.cache.Get(t.Context(), secretstore.GetInput{ID: arn, VersionID: id})
	if err != nil || v.ARN != arn || v.Name != "n" || v.VersionID != id || v.Labels != nil {
		t.Errorf("recalled %+v, %v", v, err)
	}
}

func TestALabelIsAlwaysReadAnew(t *testing.T) {
	b := newBench(t, cache.Options{})
	_, first := b.secret("n", "one")
	if got := b.get(secretstore.GetInput{ID: "n"}); got != "one" {
		t.Errorf("read %s", got)
	}
	if got := b.get(secretstore.GetInput{ID: "n", VersionID: first}); got != "one" || b.reads() != 1 {
		t.Errorf("the version that a label led to was read again: %d", b.reads())
	}
	if err := b.behind.Put(t.Context(), secretstore.PutInput{ID: "n", VersionID: uuid.NewString(), Value: sensitive.New("two"), Labels: []string{secretstore.LabelCurrent}}); err != nil {
		t.Fatal(err)
	}
	for _, in := range []secretstore.GetInput{{ID: "n"}, {ID: "n", Label: secretstore.LabelCurrent}} {
		if got := b.get(in); got != "two" {
			t.Errorf("%+v reads %s", in, got)
		}
	}
	if _, err := b.cache.Get(t.Context(), secretstore.GetInput{ID: "n", VersionID: first, Label: secretstore.LabelCurrent}); secretstore.KindOf(err) != secretstore.KindInvalidState {
		t.Errorf("a version that no longer has the label: %v", err)
	}
}

func TestAWrittenVersionIsNotRead(t *testing.T) {
	b := newBench(t, cache.Options{})
	b.secret("n", "one")
	id := uuid.NewString()
	in := secretstore.PutInput{ID: "n", VersionID: id, Value: sensitive.New("two"), Labels: []string{"l"}}
	if err := b.cache.Put(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	in.Value = sensitive.New("other")
	if err := b.cache.Put(t.Context(), in); secretstore.KindOf(err) != secretstore.KindExists {
		t.Errorf("other content: %v", err)
	}
	if got := b.get(secretstore.GetInput{ID: "n", VersionID: id}); got != "two" || b.reads() != 0 {
		t.Errorf("read %s, after %d reads", got, b.reads())
	}
}

func TestAValueIsForgottenAfterItsTime(t *testing.T) {
	b := newBench(t, cache.Options{TTL: time.Minute})
	_, id := b.secret("n", "one")
	for _, step := range []struct {
		wait  time.Duration
		reads int
	}{{0, 1}, {time.Minute - 1, 1}, {1, 2}, {time.Hour, 3}} {
		b.now = b.now.Add(step.wait)
		b.get(secretstore.GetInput{ID: "n", VersionID: id})
		if b.reads() != step.reads {
			t.Errorf("after %v more it was read %d times, want %d", step.wait, b.reads(), step.reads)
		}
	}
}

func TestTheOldestValuesMakeRoom(t *testing.T) {
	b := newBench(t, cache.Options{MaxBytes: 100})
	ids := map[string]string{}
	for _, name := range []string{"a", "b", "c"} {
		_, ids[name] = b.secret(name, strings.Repeat(name, 40))
	}
	_, ids["huge"] = b.secret("huge", strings.Repeat("h", 101))
	for i, step := range []struct {
		name  string
		reads int
	}{{"a", 1}, {"b", 2}, {"a", 2}, {"c", 3}, {"b", 3}, {"a", 4}, {"huge", 5}, {"huge", 6}, {"a", 6}} {
		b.get(secretstore.GetInput{ID: step.name, VersionID: ids[step.name]})
		if b.reads() != step.reads {
			t.Errorf("step %d, %s: %d reads, want %d", i, step.name, b.reads(), step.reads)
		}
	}
}

func TestADeletedSecretIsForgotten(t *testing.T) {
	for name, forget := range map[string]func(b *bench, arn string){
		"by this process": func(b *bench, _ string) {
			if err := b.cache.Delete(b.Context(), secretstore.DeleteInput{ID: "n"}); err != nil {
				b.Fatal(err)
			}
		},
		"by this process, under its ARN": func(b *bench, arn string) {
			if err := b.cache.Delete(b.Context(), secretstore.DeleteInput{ID: arn}); err != nil {
				b.Fatal(err)
			}
		},
		"by somebody else, as a description shows": func(b *bench, arn string) {
			b.gone()
			if _, err := b.cache.Describe(b.Context(), arn); secretstore.KindOf(err) != secretstore.KindNotFound {
				b.Fatal(err)
			}
		},
		"by somebody else, as a move shows": func(b *bench, _ string) {
			b.gone()
			_ = b.cache.MoveLabel(b.Context(), secretstore.MoveLabelInput{ID: "n", Label: "l", To: uuid.NewString()})
		},
		"by somebody else, as another reading shows": func(b *bench, _ string) {
			b.gone()
			_, _ = b.cache.Get(b.Context(), secretstore.GetInput{ID: "n"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, cache.Options{})
			arn, id := b.secret("n", "one")
			b.get(secretstore.GetInput{ID: "n", VersionID: id})
			b.get(secretstore.GetInput{ID: arn, VersionID: id})
			forget(b, arn)
			for _, in := range []secretstore.GetInput{{ID: "n", VersionID: id}, {ID: arn, VersionID: id}} {
				if _, err := b.cache.Get(t.Context(), in); secretstore.KindOf(err) != secretstore.KindNotFound {
					t.Errorf("%+v reads: %v", in, err)
				}
			}
		})
	}
}

// gone deletes the secret past the cache.
func (b *bench) gone() {
	b.Helper()
	if err := b.behind.Delete(b.Context(), secretstore.DeleteInput{ID: "n"}); err != nil {
		b.Fatal(err)
	}
}

func TestAReadingThatADeletionOvertookIsNotRemembered(t *testing.T) {
	b := newBench(t, cache.Options{})
	_, id := b.secret("n", "one")
	b.emulator.SetHooks(nil, func(c emulator.Call) {
		if c.Operation == "GetSecretValue" {
			b.emulator.SetHooks(nil, nil)
			if err := b.cache.Delete(t.Context(), secretstore.DeleteInput{ID: "n"}); err != nil {
				t.Error(err)
			}
		}
	})
	b.get(secretstore.GetInput{ID: "n", VersionID: id})
	if _, err := b.cache.Get(t.Context(), secretstore.GetInput{ID: "n", VersionID: id}); secretstore.KindOf(err) != secretstore.KindNotFound {
		t.Errorf("it reads: %v", err)
	}
}

func TestItIsSafeForConcurrentUse(t *testing.T) {
	b := newBench(t, cache.Options{MaxBytes: 64})
	var group sync.WaitGroup
	for i := range 8 {
		name := fmt.Sprint("n", i%3, "/", i)
		_, id := b.secret(name, name)
		group.Go(func() {
			for range 20 {
				if v, err := b.cache.Get(t.Context(), secretstore.GetInput{ID: name, VersionID: id}); err != nil || v.Value.Reveal() != name {
					t.Errorf("%s: %v", name, err)
				}
			}
			if err := b.cache.Delete(t.Context(), secretstore.DeleteInput{ID: name}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

func TestACachedStoreKeepsTheContract(t *testing.T) {
	b := newBench(t, cache.Options{})
	fmt.Println("REPORT:", storetest.Run(t, storetest.Harness{
		Store: b.cache, Name: "the emulator, behind the cache", Prefix: "contract/", KMSKeyID: "alias/contract",
		Sleep: b.emulator.Advance, Patience: time.Minute,
	}))
}
