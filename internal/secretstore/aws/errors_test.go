package aws_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/secretstore/aws"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/internal/sensitive"
)

func TestErrorCodesHaveTheirKinds(t *testing.T) {
	for code, kind := range map[string]secretstore.Kind{
		"ResourceNotFoundException":   secretstore.KindNotFound,
		"ResourceExistsException":     secretstore.KindExists,
		"InvalidRequestException":     secretstore.KindInvalidState,
		"PreconditionNotMetException": secretstore.KindInvalidState,
		"InvalidParameterException":   secretstore.KindInvalidInput,
		"ValidationException":         secretstore.KindInvalidInput,
		"LimitExceededException":      secretstore.KindLimit,
		"AccessDeniedException":       secretstore.KindDenied,
		"DecryptionFailure":           secretstore.KindDenied,
		"EncryptionFailure":           secretstore.KindDenied,
		"ExpiredTokenException":       secretstore.KindCredentials,
		"UnrecognizedClientException": secretstore.KindCredentials,
		"InvalidSignatureException":   secretstore.KindCredentials,
		"ThrottlingException":         secretstore.KindThrottled,
		"TooManyRequestsException":    secretstore.KindThrottled,
		"InternalServiceError":        secretstore.KindUnavailable,
		"SomethingNewException":       secretstore.KindInvalidInput, // by its status, 400
	} {
		t.Run(code, func(t *testing.T) {
			e, a, _, _, _ := live(t)
			e.Inject(emulator.Fault{Kind: emulator.FaultError, Code: code})
			err := a.Put(t.Context(), secretstore.PutInput{ID: "live", VersionID: uuid.NewString(), Value: sensitive.New(marked), Labels: []string{"sr-2"}})
			var ours *secretstore.Error
			if !errors.As(err, &ours) || ours.Kind != kind || ours.Code != code || ours.Op != "PutSecretValue" || ours.ID != "live" {
				t.Fatalf("it failed with %#v, want kind %s", err, kind)
			}
			if retried := attempts(e, "PutSecretValue") > 1; retried != (kind == secretstore.KindThrottled) {
				t.Errorf("it was tried %d times", attempts(e, "PutSecretValue"))
			}
		})
	}
}

func TestAnUnknownCodeIsJudgedByItsStatus(t *testing.T) {
	for status, kind := range map[int]secretstore.Kind{
		http.StatusBadRequest: secretstore.KindInvalidInput, http.StatusForbidden: secretstore.KindDenied,
		http.StatusTooManyRequests: secretstore.KindThrottled, http.StatusBadGateway: secretstore.KindUnavailable,
	} {
		a := answering(t, status, `{"__type":"SomethingNewException","message":"x"}`)
		if _, err := a.Describe(t.Context(), "n"); secretstore.KindOf(err) != kind {
			t.Errorf("status %d: %v, want kind %s", status, err, kind)
		}
	}
}

// answering is an adapter on a service that always answers the same.
func answering(t *testing.T, status int, body string) *aws.Adapter {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	t.Cleanup(server.Close)
	return adapt(t, quick(server.URL))
}

func TestAnAnswerCutInTheMiddleIsTriedAgainAndShowsNothing(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.Header().Set("Content-Length", "70000")
		fmt.Fprintf(w, `{"ARN":"arn","Name":"live","VersionId":"v","SecretString":"%s`, strings.Repeat(marked, 3000))
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(server.Close)
	stderr := filepath.Join(t.TempDir(), "stderr")
	file, err := os.Create(stderr)
	if err != nil {
		t.Fatal(err)
	}
	terminal := os.Stderr
	os.Stderr = file
	t.Cleanup(func() { os.Stderr = terminal })
	o := quick(server.URL)
	o.MaxAttempts = 2
	_, err = adapt(t, o).Get(t.Context(), secretstore.GetInput{ID: "live"})
	if secretstore.KindOf(err) != secretstore.KindUnavailable || asked != 2 {
		t.Errorf("it failed with %v after %d attempts", err, asked)
	}
	if told := fmt.Sprint(err); strings.Contains(told, marked) || !strings.Contains(told, "cut off") {
		t.Errorf("it does not say what failed, or shows the value: %v", err)
	}
	if told, err := os.ReadFile(stderr); err != nil || len(told) > 0 {
		t.Errorf("stderr says %q (%v)", told, err)
	}
}

func TestAnAnswerThatIsNotOfAWSIsNotTakenForOne(t *testing.T) {
	for _, body := range []string{"", "{}", "null", "<html>" + marked + "</html>", `{"ARN":"` + marked, `{"ARN":5}`, `{"Name":"` + marked + `"}`} {
		a := answering(t, http.StatusOK, body)
		calls := map[string]func() error{
			"describe": func() error { _, err := a.Describe(t.Context(), "n"); return err },
			"get":      func() error { _, err := a.Get(t.Context(), secretstore.GetInput{ID: "n"}); return err },
			"create":   func() error { _, err := a.Create(t.Context(), secretstore.CreateInput{Name: "n"}); return err },
		}
		for name, call := range calls {
			err := call()
			if secretstore.KindOf(err) != secretstore.KindUnavailable || strings.Contains(fmt.Sprint(err), marked) || !strings.Contains(fmt.Sprint(err), "proxy") {
				t.Errorf("%s answered with %q: %v", name, body, err)
			}
		}
	}
}

func TestWhatACredentialProcessPrintsIsNotShown(t *testing.T) {
	printed := `{"Version":1,"AccessKeyId":"` + marked + `","SecretAccessKey":"` + marked + `"}`
	for name, c := range map[string]struct{ command, want string }{
		"a warning before the credentials":  {"echo 'a new release is there'; echo '" + printed + "'", "beside their JSON"},
		"credentials of another form":       {"echo '" + strings.Replace(printed, "1", "2", 1) + "'", "beside their JSON"},
		"credentials of another type":       {"echo '[" + printed + "]'", "beside their JSON"},
		"credentials, and then a failure":   {"echo '" + printed + "'; exit 3", "exit status 3"},
		"nothing, and no success":           {"exit 4", "exit status 4"},
		"nothing at all, as if it was fine": {"true", "gave no credentials"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "config")
			if err := os.WriteFile(file, []byte("[profile p]\ncredential_process = sh -c \""+strings.ReplaceAll(c.command, `"`, `\"`)+"\"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			t.Setenv("AWS_CONFIG_FILE", file)
			o := quick("http://127.0.0.1:1")
			o.Credentials, o.Profile = nil, "p"
			_, err := adapt(t, o).Describe(t.Context(), "live")
			if secretstore.KindOf(err) != secretstore.KindCredentials || !strings.Contains(err.Error(), c.want) {
				t.Errorf("it failed with %v", err)
			}
			if strings.Contains(fmt.Sprint(err), marked) {
				t.Errorf("it shows what the process printed: %v", err)
			}
		})
	}
}

func TestAMoveRefusedForItsStartIsAMatterOfState(t *testing.T) {
	_, a, _, _, second := live(t)
	err := a.MoveLabel(t.Context(), secretstore.MoveLabelInput{ID: "live", Label: secretstore.LabelCurrent, From: second, To: second})
	if secretstore.KindOf(err) != secretstore.KindInvalidState {
		t.Errorf("it failed with %v", err)
	}
}

func TestADenialSaysWhoLacksWhat(t *testing.T) {
	e, a, _, _, _ := live(t)
	e.SetPrincipals([]emulator.Principal{{AccessKeyID: "alice"}})
	_, err := a.Get(t.Context(), secretstore.GetInput{ID: "live"})
	for _, part := range []string{"user/alice", "secretsmanager:GetSecretValue", "live", "ask for this right"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v does not say %s", err, part)
		}
	}
}

func TestAMessageIsOneBoundedLineAndKeptOnlyWhereItQuotesNoInput(t *testing.T) {
	long := strings.Repeat("x", 5000)
	for code, kept := range map[string]bool{"AccessDeniedException": true, "InvalidRequestException": true, "ValidationException": false, "InvalidParameterException": false} {
		a := answering(t, http.StatusBadRequest, fmt.Sprintf(`{"__type":%q,"message":"one\ntwo \u001b[2J %s"}`, code, long))
		_, err := a.Describe(t.Context(), "n")
		text := err.Error()
		if strings.ContainsAny(text, "\n\x1b") || len(text) > 800 {
			t.Errorf("%s: %q", code, text)
		}
		if strings.Contains(text, "one two") != kept {
			t.Errorf("%s: the message is kept, or lost: %q", code, text)
		}
	}
}

func TestNoErrorShowsAValue(t *testing.T) {
	ctx := t.Context()
	put := func(a *aws.Adapter) error {
		return a.Put(ctx, secretstore.PutInput{ID: "live", VersionID: uuid.NewString(), Value: sensitive.New(marked), Labels: []string{"sr-2"}})
	}
	create := func(a *aws.Adapter) error {
		_, err := a.Create(ctx, secretstore.CreateInput{Name: "n", Value: sensitive.New(marked)})
		return err
	}
	get := func(a *aws.Adapter) error {
		_, err := a.Get(ctx, secretstore.GetInput{ID: "n"})
		return err
	}
	echo := fmt.Sprintf(`{"__type":"%%s","message":"Value '%s' at 'secretString' is bad"}`, marked)
	broken := fmt.Sprintf(`{"ARN":"a","Name":"n","SecretString":%q,"CreatedDate":"yesterday"`, marked)
	for name, c := range map[string]struct {
		adapter *aws.Adapter
		call    func(*aws.Adapter) error
	}{
		"a message that quotes the input":  {answering(t, 400, fmt.Sprintf(echo, "ValidationException")), put},
		"an unknown error that quotes it":  {answering(t, 400, fmt.Sprintf(echo, "NewException")), create},
		"an answer that breaks off":        {answering(t, 200, broken), get},
		"an answer of another form":        {answering(t, 200, broken+"}"), get},
		"an error that is no JSON":         {answering(t, 400, marked), put},
		"a service that cannot be reached": {adapt(t, quick("http://"+closedPort(t))), put},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.call(c.adapter)
			if secretstore.KindOf(err) == "" {
				t.Fatalf("it failed with %v", err)
			}
			for e := err; e != nil; e = errors.Unwrap(e) {
				if text := fmt.Sprintf("%v %+v %#v", e, e, e); strings.Contains(text, marked) {
					t.Errorf("%T shows the value: %s", e, text)
				}
			}
		})
	}
}

// closedPort is an address that nothing listens on.
func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func TestAServiceThatCannotBeReachedIsNamed(t *testing.T) {
	address := closedPort(t)
	_, err := adapt(t, quick("http://"+address)).Describe(t.Context(), "n")
	if secretstore.KindOf(err) != secretstore.KindUnavailable || !strings.Contains(err.Error(), address) {
		t.Errorf("it failed with %v", err)
	}
	var dial *net.OpError
	if !errors.As(err, &dial) {
		t.Errorf("the cause is lost: %v", err)
	}
}

func TestAServiceThatDoesNotAnswerIsGivenUp(t *testing.T) {
	e, _, url, _, _ := live(t)
	e.Inject(emulator.Fault{Kind: emulator.FaultDelay, Delay: time.Minute})
	o := quick(url)
	o.RequestTimeout, o.MaxAttempts = 20*time.Millisecond, 2
	_, err := adapt(t, o).Describe(t.Context(), "live")
	if secretstore.KindOf(err) != secretstore.KindUnavailable {
		t.Errorf("it failed with %v", err)
	}
	if n := attempts(e, "DescribeSecret"); n > 2 {
		t.Errorf("it was tried %d times", n)
	}
}

func TestACallersDeadlineIsItsOwn(t *testing.T) {
	e, a, _, _, _ := live(t)
	e.Inject(emulator.Fault{Kind: emulator.FaultDelay, Delay: time.Minute})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := a.Describe(ctx, "live")
	if secretstore.KindOf(err) != secretstore.KindUnavailable || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("it failed with %v", err)
	}
	if err := a.Restore(ctx, "live"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a writing call failed with %v", err)
	}
}

func TestMissingAndExpiredCredentials(t *testing.T) {
	e, _, url, _, _ := live(t)
	e.SetPrincipals([]emulator.Principal{{AccessKeyID: "old", Expired: true}, {AccessKeyID: "alice"}})
	bare(t)
	for name, credentials := range map[string]*aws.StaticCredentials{
		"none in the chain": nil,
		"expired":           {AccessKeyID: "old", SecretAccessKey: "s"},
		"unknown":           {AccessKeyID: "stranger", SecretAccessKey: "s"},
		"empty":             {},
	} {
		t.Run(name, func(t *testing.T) {
			o := quick(url)
			o.Credentials = credentials
			a := adapt(t, o)
			_, err := a.Describe(t.Context(), "live")
			_, idErr := a.CallerIdentity(t.Context())
			for _, err := range []error{err, idErr} {
				if secretstore.KindOf(err) != secretstore.KindCredentials || !secretstore.Retryable(err) || !strings.Contains(err.Error(), "sign in") {
					t.Errorf("it failed with %v", err)
				}
			}
		})
	}
}

func TestAListingIsComparedWithItsPrefixAgain(t *testing.T) {
	a := answering(t, 200, `{"SecretList":[{"ARN":"x","Name":"app/dev"},{"ARN":"y","Name":"App/dev"},{"ARN":"z","Name":"other/app/"}]}`)
	got, err := a.List(t.Context(), "app/")
	if err != nil || len(got) != 1 || got[0].Name != "app/dev" {
		t.Errorf("listed %v, %v", got, err)
	}
}

func TestABinaryValueIsSaidToBeOne(t *testing.T) {
	a := answering(t, 200, `{"ARN":"x","Name":"n","VersionId":"v","SecretBinary":"AAEC"}`)
	v, err := a.Get(t.Context(), secretstore.GetInput{ID: "n"})
	if err != nil || !v.Binary || v.Value.Len() != 0 {
		t.Errorf("read %+v, %v", v, err)
	}
}
