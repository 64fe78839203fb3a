package aws_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/secretstore/aws"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/internal/sensitive"
)

const region = "eu-central-1"

// marked is a value that must not show anywhere.
const marked = "canary-5d20c1"

// quick are Options that make a test wait for nothing.
func quick(url string) aws.Options {
	return aws.Options{
		Region: region, EndpointURL: url, WritesPerSecond: 10_000,
		MaxBackoff: time.Millisecond, RequestTimeout: 60 * time.Second,
		Credentials: &aws.StaticCredentials{AccessKeyID: "alice", SecretAccessKey: "s"},
	}
}

func adapt(t *testing.T, o aws.Options) *aws.Adapter {
	t.Helper()
	a, err := aws.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// live is an emulator with one secret, "live", of one version that is current
// and one that is not.
func live(t *testing.T) (e *emulator.Emulator, a *aws.Adapter, url, first, second string) {
	t.Helper()
	e = emulator.New(emulator.Options{Region: region})
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	e.SetStacks([]emulator.Stack{{Name: "network"}})
	a = adapt(t, quick(server.URL))
	first, second = uuid.NewString(), uuid.NewString()
	if _, err := a.Create(t.Context(), secretstore.CreateInput{Name: "live", VersionID: first, Value: sensitive.New("one")}); err != nil {
		t.Fatal(err)
	}
	if err := a.Put(t.Context(), secretstore.PutInput{ID: "live", VersionID: second, Value: sensitive.New("two"), Labels: []string{"sr-1"}}); err != nil {
		t.Fatal(err)
	}
	e.ResetCalls()
	return e, a, server.URL, first, second
}

func attempts(e *emulator.Emulator, operation string) int {
	n := 0
	for _, c := range e.Calls() {
		if c.Operation == operation {
			n++
		}
	}
	return n
}

func TestEveryCallButAMoveIsTriedAgain(t *testing.T) {
	put := func(ctx context.Context, a *aws.Adapter, _, _ string) error {
		return a.Put(ctx, secretstore.PutInput{ID: "live", VersionID: uuid.NewString(), Value: sensitive.New(marked), Labels: []string{"sr-2"}})
	}
	calls := map[string]func(ctx context.Context, a *aws.Adapter, first, second string) error{
		"DescribeSecret": func(ctx context.Context, a *aws.Adapter, _, _ string) error {
			_, err := a.Describe(ctx, "live")
			return err
		},
		"GetSecretValue": func(ctx context.Context, a *aws.Adapter, first, _ string) error {
			_, err := a.Get(ctx, secretstore.GetInput{ID: "live", VersionID: first})
			return err
		},
		"CreateSecret": func(ctx context.Context, a *aws.Adapter, _, _ string) error {
			_, err := a.Create(ctx, secretstore.CreateInput{Name: "new", Value: sensitive.New(marked)})
			return err
		},
		"PutSecretValue": put,
		"DeleteSecret": func(ctx context.Context, a *aws.Adapter, _, _ string) error {
			return a.Delete(ctx, secretstore.DeleteInput{ID: "live"})
		},
		"RestoreSecret": func(ctx context.Context, a *aws.Adapter, _, _ string) error { return a.Restore(ctx, "live") },
		"ListSecrets": func(ctx context.Context, a *aws.Adapter, _, _ string) error {
			_, err := a.List(ctx, "l")
			return err
		},
		"GetCallerIdentity": func(ctx context.Context, a *aws.Adapter, _, _ string) error {
			_, err := a.CallerIdentity(ctx)
			return err
		},
		"DescribeStacks": func(ctx context.Context, a *aws.Adapter, _, _ string) error {
			_, err := a.StackOutputs(ctx, "network")
			return err
		},
		"UpdateSecretVersionStage": func(ctx context.Context, a *aws.Adapter, first, second string) error {
			return a.MoveLabel(ctx, secretstore.MoveLabelInput{ID: "live", Label: secretstore.LabelCurrent, From: first, To: second})
		},
	}
	faults := map[emulator.FaultKind]secretstore.Kind{
		emulator.FaultThrottle:    secretstore.KindThrottled,
		emulator.FaultInternal:    secretstore.KindUnavailable,
		emulator.FaultUnavailable: secretstore.KindUnavailable,
		emulator.FaultDrop:        secretstore.KindUnavailable,
		emulator.FaultLose:        secretstore.KindUnavailable,
	}
	for operation, call := range calls {
		for fault, kind := range faults {
			t.Run(operation+" under "+string(fault), func(t *testing.T) {
				e, a, _, first, second := live(t)
				e.Inject(emulator.Fault{Kind: fault, Operations: []string{operation}, Count: 1})
				err := call(t.Context(), a, first, second)
				wantErr, wantAttempts := secretstore.Kind(""), 2
				if operation == "UpdateSecretVersionStage" {
					wantErr, wantAttempts = kind, 1
				}
				if got := secretstore.KindOf(err); got != wantErr {
					t.Errorf("it failed with %v, want kind %q", err, wantErr)
				}
				if n := attempts(e, operation); n != wantAttempts {
					t.Errorf("it was tried %d times, want %d", n, wantAttempts)
				}
				if told := emulator.Invocations(e.Calls()); len(told) != 1 || told[0].Operation != operation || (told[0].Fault == "") != (err == nil) {
					t.Errorf("one call is told as %+v", told)
				}
			})
		}
	}
}

func TestAMoveWhoseAnswerIsLostTookEffect(t *testing.T) {
	e, a, _, first, second := live(t)
	e.Inject(emulator.Fault{Kind: emulator.FaultLose, Count: 1})
	err := a.MoveLabel(t.Context(), secretstore.MoveLabelInput{ID: "live", Label: secretstore.LabelCurrent, From: first, To: second})
	if secretstore.KindOf(err) != secretstore.KindUnavailable || !secretstore.Retryable(err) {
		t.Errorf("it failed with %v", err)
	}
	s, err := a.Describe(t.Context(), "live")
	if err != nil || s.Current() != second || s.Previous() != first {
		t.Errorf("now it is %v, %v", s.Versions, err)
	}
}

func TestAttemptsAreBounded(t *testing.T) {
	e, a, _, _, _ := live(t)
	e.Inject(emulator.Fault{Kind: emulator.FaultThrottle})
	_, err := a.Describe(t.Context(), "live")
	if secretstore.KindOf(err) != secretstore.KindThrottled {
		t.Errorf("it failed with %v", err)
	}
	if n := attempts(e, "DescribeSecret"); n != aws.DefaultMaxAttempts {
		t.Errorf("it was tried %d times", n)
	}
}

func TestACallIsReportedOnceWithItsKind(t *testing.T) {
	e, _, url, _, _ := live(t)
	type report struct {
		op   string
		kind secretstore.Kind
	}
	var (
		mu      sync.Mutex
		reports []report
	)
	o := quick(url)
	o.OnCall = func(op string, kind secretstore.Kind, took time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		if took <= 0 {
			t.Errorf("%s took %v", op, took)
		}
		reports = append(reports, report{op, kind})
	}
	a := adapt(t, o)
	e.Inject(emulator.Fault{Kind: emulator.FaultInternal, Count: 1})
	if _, err := a.Describe(t.Context(), "live"); err != nil {
		t.Fatal(err)
	}
	_, _ = a.Get(t.Context(), secretstore.GetInput{ID: "none"})
	want := []report{{"DescribeSecret", ""}, {"GetSecretValue", secretstore.KindNotFound}}
	if len(reports) != 2 || reports[0] != want[0] || reports[1] != want[1] {
		t.Errorf("reported %v, want %v", reports, want)
	}
}

func TestTheUserAgentNamesTheProgram(t *testing.T) {
	e, _, url, _, _ := live(t)
	o := quick(url)
	o.Version = "1.2.3"
	if _, err := adapt(t, o).Describe(t.Context(), "live"); err != nil {
		t.Fatal(err)
	}
	if agent := e.Calls()[0].UserAgent; !strings.Contains(agent, "secretreview/1.2.3") {
		t.Errorf("it is %s", agent)
	}
}

func TestTheCallerLearnsWhoItIs(t *testing.T) {
	e, a, _, _, _ := live(t)
	e.SetPrincipals([]emulator.Principal{{AccessKeyID: "alice", ARN: "arn:aws:sts::123456789012:assumed-role/dev/alice@example.com"}})
	got, err := a.CallerIdentity(t.Context())
	want := secretstore.Identity{Account: "123456789012", ARN: "arn:aws:sts::123456789012:assumed-role/dev/alice@example.com", UserID: "alice"}
	if err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestTheEnvironmentIsHonoured(t *testing.T) {
	_, _, url, first, _ := live(t)
	for name, variable := range map[string]string{"for every service": "AWS_ENDPOINT_URL", "for one service": "AWS_ENDPOINT_URL_SECRETS_MANAGER"} {
		t.Run(name, func(t *testing.T) {
			for key, value := range map[string]string{
				variable: url, "AWS_REGION": region, "AWS_ACCESS_KEY_ID": "alice", "AWS_SECRET_ACCESS_KEY": "s",
			} {
				t.Setenv(key, value)
			}
			a := adapt(t, aws.Options{})
			if s, err := a.Describe(t.Context(), "live"); err != nil || s.Current() != first || a.Region() != region {
				t.Errorf("described as %+v in %s, %v", s, a.Region(), err)
			}
		})
	}
}

func TestWithoutARegionThereIsNoAdapter(t *testing.T) {
	bare(t)
	if _, err := aws.New(t.Context(), aws.Options{}); err == nil || !strings.Contains(err.Error(), "AWS_REGION") {
		t.Errorf("it failed with %v", err)
	}
}

// bare takes away every source of configuration.
func bare(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	for key, value := range map[string]string{
		"AWS_CONFIG_FILE": dir + "/config", "AWS_SHARED_CREDENTIALS_FILE": dir + "/credentials",
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_REGION": "", "AWS_DEFAULT_REGION": "", "AWS_PROFILE": "",
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": "",
		"AWS_WEB_IDENTITY_TOKEN_FILE": "", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "",
		"AWS_ENDPOINT_URL": "", "AWS_ENDPOINT_URL_SECRETS_MANAGER": "",
	} {
		t.Setenv(key, value)
	}
}

func TestWritingCallsWaitForEachOther(t *testing.T) {
	e, _, url, first, second := live(t)
	o := quick(url)
	o.WritesPerSecond = 0.001
	for operation, write := range map[string]func(context.Context, *aws.Adapter) error{
		"RestoreSecret": func(ctx context.Context, a *aws.Adapter) error { return a.Restore(ctx, "live") },
		"UpdateSecretVersionStage": func(ctx context.Context, a *aws.Adapter) error {
			from := first
			first, second = second, first
			return a.MoveLabel(ctx, secretstore.MoveLabelInput{ID: "live", Label: secretstore.LabelCurrent, From: from, To: first})
		},
	} {
		t.Run(operation, func(t *testing.T) {
			a := adapt(t, o)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			var err error
			sent := 0
			for ; err == nil && sent < 100; sent++ {
				err = write(ctx, a)
			}
			// 45 a second and these must not be more than the 50 that AWS takes.
			if secretstore.KindOf(err) != secretstore.KindThrottled || !errors.Is(err, secretstore.ErrNotSent) || sent-1 != attempts(e, operation) || sent-1 != 5 {
				t.Errorf("after %d calls it failed with %v", sent, err)
			}
			if _, err := a.Describe(ctx, "live"); err != nil {
				t.Errorf("a reading call waits too: %v", err)
			}
		})
	}
}
