package secretstore_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/secretreview/secretreview/internal/secretstore"
)

func TestWhereLabelsAre(t *testing.T) {
	s := secretstore.Secret{Versions: map[string][]string{
		"one": {secretstore.LabelPrevious, "sr-1"}, "two": {secretstore.LabelCurrent}, "three": {secretstore.LabelPending, "sr-3"},
	}}
	if s.Current() != "two" || s.Previous() != "one" || s.VersionWith("sr-3") != "three" || s.VersionWith("none") != "" {
		t.Errorf("labels are not where they are: %+v", s)
	}
	if n := s.LabelCount(); n != 5 {
		t.Errorf("%d labels", n)
	}
}

func TestARotationIsUnderWayWhilePendingIsNotCurrent(t *testing.T) {
	for name, c := range map[string]struct {
		versions map[string][]string
		want     bool
	}{
		"no pending version":         {map[string][]string{"one": {secretstore.LabelCurrent}}, false},
		"pending on another version": {map[string][]string{"one": {secretstore.LabelCurrent}, "two": {secretstore.LabelPending}}, true},
		"pending on the current one": {map[string][]string{"one": {secretstore.LabelCurrent, secretstore.LabelPending}}, false},
		"pending without a current":  {map[string][]string{"one": {secretstore.LabelPending}}, true},
	} {
		if got := (secretstore.Secret{Versions: c.versions}).InRotation(); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestAReplicaIsOneOutsideItsPrimaryRegion(t *testing.T) {
	for primary, want := range map[string]bool{"": false, "here": false, "there": true} {
		if got := (secretstore.Secret{PrimaryRegion: primary}).IsReplicaIn("here"); got != want {
			t.Errorf("primary %q: %v", primary, got)
		}
	}
}

func TestARNs(t *testing.T) {
	for arn, want := range map[string]secretstore.ARNParts{
		"arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/dev-AbC123":      {Partition: "aws", Region: "eu-west-1", Account: "123456789012", Name: "app/dev"},
		"arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:a-b1c2d3-AbC123": {Partition: "aws-cn", Region: "cn-north-1", Account: "123456789012", Name: "a-b1c2d3"},
		"arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/dev":             {},
		"arn:aws:secretsmanager:eu-west-1:123456789012:secret:-AbC123":             {},
		"arn:aws:secretsmanager::123456789012:secret:app-AbC123":                   {},
		"arn:aws:ssm:eu-west-1:123456789012:secret:app-AbC123":                     {},
		"app/dev-AbC123": {},
		"":               {},
	} {
		got, ok := secretstore.ParseARN(arn)
		if got != want || ok != (want.Name != "") {
			t.Errorf("%q: %+v, %v", arn, got, ok)
		}
	}
}

func TestErrorsSayWhatFailedOnWhatAndWhatToDo(t *testing.T) {
	cause := errors.New("connection refused")
	for want, e := range map[string]*secretstore.Error{
		`DescribeSecret on secret "a/b": AWS answered ResourceNotFoundException (NotFound)`:                                             {Kind: secretstore.KindNotFound, Op: "DescribeSecret", ID: "a/b", Code: "ResourceNotFoundException"},
		`GetSecretValue on secret "a/b": AWS answered AccessDeniedException: not eve; ask for this right on the secret and its KMS key`: {Kind: secretstore.KindDenied, Op: "GetSecretValue", ID: "a/b", Code: "AccessDeniedException", Message: "not eve"},
		`GetCallerIdentity: Unavailable: connection refused; try again later`:                                                           {Kind: secretstore.KindUnavailable, Op: "GetCallerIdentity", Err: cause},
		`DescribeStacks: AWS answered AccessDenied: not eve; ask for this right`:                                                        {Kind: secretstore.KindDenied, Op: "DescribeStacks", Code: "AccessDenied", Message: "not eve"},
		`ListSecrets on secret "a/": Throttled; try again later`:                                                                        {Kind: secretstore.KindThrottled, Op: "ListSecrets", ID: "a/"},
	} {
		if got := e.Error(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	wrapped := fmt.Errorf("read: %w", &secretstore.Error{Kind: secretstore.KindThrottled, Err: cause})
	if secretstore.KindOf(wrapped) != secretstore.KindThrottled || !errors.Is(wrapped, cause) || secretstore.KindOf(cause) != "" {
		t.Error("a wrapped error loses its kind or its cause")
	}
}

func TestWhatMaySucceedLater(t *testing.T) {
	later := map[secretstore.Kind]bool{
		secretstore.KindThrottled: true, secretstore.KindUnavailable: true, secretstore.KindDenied: true, secretstore.KindCredentials: true,
		secretstore.KindNotFound: false, secretstore.KindExists: false, secretstore.KindInvalidState: false,
		secretstore.KindInvalidInput: false, secretstore.KindLimit: false,
	}
	for kind, want := range later {
		if got := secretstore.Retryable(&secretstore.Error{Kind: kind}); got != want {
			t.Errorf("%s: %v", kind, got)
		}
	}
	if secretstore.Retryable(errors.New("other")) {
		t.Error("another error")
	}
}
