package exit_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"syscall"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/secretstore"
)

var (
	resource = schema.GroupResource{Group: "secretreview.dev", Resource: "secretchanges"}
	kind     = schema.GroupKind{Group: "secretreview.dev", Kind: "SecretChange"}
)

func store(kind secretstore.Kind) error {
	return &secretstore.Error{Kind: kind, Op: "GetSecretValue", ID: "x"}
}

func TestEveryErrorHasItsCode(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		code exit.Code
	}{
		"no error":       {nil, exit.OK},
		"any error":      {errors.New("x"), exit.Failure},
		"one of our own": {exit.Errorf(exit.Conflict, "x"), exit.Conflict},
		"one of our own goes before what it wraps": {exit.Errorf(exit.Conflict, "x: %w", store(secretstore.KindDenied)), exit.Conflict},
		"a silent one":               {&exit.SilentError{Code: exit.Refused}, exit.Refused},
		"Ctrl-C":                     {fmt.Errorf("x: %w", context.Canceled), exit.Cancelled},
		"Ctrl-C goes before our own": {exit.Errorf(exit.Unavailable, "x: %w", context.Canceled), exit.Cancelled},
		"Ctrl-C during a call to AWS": {
			&secretstore.Error{Kind: secretstore.KindUnavailable, Op: "x", Err: context.Canceled}, exit.Cancelled,
		},
		"out of time": {context.DeadlineExceeded, exit.Unavailable},

		"an object that is not there": {apierrors.NewNotFound(resource, "x"), exit.NotFound},
		"an API that is not there": {
			apierrors.NewGenericServerResponse(404, "get", resource, "x", "404 page not found", 0, true), exit.NotFound,
		},
		"not logged in":          {apierrors.NewUnauthorized("x"), exit.Denied},
		"not allowed":            {apierrors.NewForbidden(resource, "x", errors.New("no")), exit.Denied},
		"changed meanwhile":      {apierrors.NewConflict(resource, "x", errors.New("no")), exit.Conflict},
		"there already":          {apierrors.NewAlreadyExists(resource, "x"), exit.Conflict},
		"not valid":              {apierrors.NewInvalid(kind, "x", nil), exit.Refused},
		"malformed":              {apierrors.NewBadRequest("x"), exit.Refused},
		"too many requests":      {apierrors.NewTooManyRequests("x", 1), exit.Unavailable},
		"a slow API server":      {apierrors.NewTimeoutError("x", 1), exit.Unavailable},
		"a slow backend":         {apierrors.NewServerTimeout(resource, "get", 1), exit.Unavailable},
		"a broken API server":    {apierrors.NewInternalError(errors.New("x")), exit.Unavailable},
		"a busy API server":      {apierrors.NewServiceUnavailable("x"), exit.Unavailable},
		"an unreachable cluster": {&url.Error{Op: "Get", URL: "https://x", Err: syscall.ECONNREFUSED}, exit.Unavailable},
		"a network failure":      {&net.OpError{Op: "dial", Err: syscall.ENETUNREACH}, exit.Unavailable},

		"AWS: not found":     {store(secretstore.KindNotFound), exit.NotFound},
		"AWS: exists":        {store(secretstore.KindExists), exit.Conflict},
		"AWS: invalid state": {store(secretstore.KindInvalidState), exit.Refused},
		"AWS: invalid input": {store(secretstore.KindInvalidInput), exit.Failure},
		"AWS: limit":         {store(secretstore.KindLimit), exit.Refused},
		"AWS: denied":        {store(secretstore.KindDenied), exit.Denied},
		"AWS: credentials":   {store(secretstore.KindCredentials), exit.Denied},
		"AWS: throttled":     {store(secretstore.KindThrottled), exit.Unavailable},
		"AWS: unavailable":   {store(secretstore.KindUnavailable), exit.Unavailable},
		"a large document":   {&document.TooLargeError{}, exit.Refused},
		"a foreign document": {&document.ForeignError{}, exit.Refused},
		"a broken document":  {&document.Error{}, exit.Refused},
		"a system call":      {syscall.ENOENT, exit.Failure},
	} {
		t.Run(name, func(t *testing.T) {
			if got := exit.CodeOf(tc.err); got != tc.code {
				t.Errorf("code %d instead of %d", got, tc.code)
			}
			if tc.err == nil {
				return
			}
			if got := exit.CodeOf(fmt.Errorf("wrapped: %w", tc.err)); got != tc.code {
				t.Errorf("wrapped: code %d instead of %d", got, tc.code)
			}
		})
	}
}

func TestReportIsOneLine(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		want string
	}{
		"nothing to say":               {nil, ""},
		"said already":                 {&exit.SilentError{Code: exit.Refused}, ""},
		"our own sentence":             {exit.Errorf(exit.Refused, "no: do that"), "sr: no: do that\n"},
		"Ctrl-C":                       {context.Canceled, "sr: cancelled\n"},
		"Ctrl-C with something to say": {exit.Errorf(exit.Unavailable, "left: %w", context.Canceled), "sr: left: context canceled\n"},
		"a next step is added":         {store(secretstore.KindExists), "sr: GetSecretValue on secret \"x\": Exists; try again\n"},
		"lines are joined":             {errors.New("a\nb"), "sr: a b\n"},
		"control characters":           {errors.New("a\x1b[2J\u202eb"), `sr: a\u001b[2J\u202eb` + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			if code := exit.Report(&out, "sr", tc.err); code != exit.CodeOf(tc.err) {
				t.Errorf("code %d", code)
			}
			if out.String() != tc.want {
				t.Errorf("%q instead of %q", out.String(), tc.want)
			}
		})
	}
}

func TestAMissingAPIIsToldFromAMissingObject(t *testing.T) {
	if !exit.NotServed(apierrors.NewGenericServerResponse(404, "get", resource, "x", "404 page not found", 0, true)) {
		t.Error("a missing API is not seen")
	}
	if exit.NotServed(apierrors.NewNotFound(resource, "x")) {
		t.Error("a missing object is taken for a missing API")
	}
}
