package exit

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/url"
	"syscall"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/endpoint"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// rule says what a kind of error means to a person. Advice is what to do next,
// for errors whose text does not say it.
type rule struct {
	matches func(error) bool
	code    Code
	advice  string
}

func is(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

func as[T error](err error) bool {
	var target T
	return errors.As(err, &target)
}

func kind(k secretstore.Kind) func(error) bool {
	return func(err error) bool { return secretstore.KindOf(err) == k }
}

// NotServed reports whether err comes from a cluster without this API. It tells a cluster that lacks the API from one that lacks the object.
func NotServed(err error) bool {
	return apierrors.IsNotFound(err) && apierrors.HasStatusCause(err, metav1.CauseTypeUnexpectedServerResponse)
}

// rules are tried in order; the first that matches counts.
var rules = []rule{
	{as[*endpoint.InsecureError], Refused, ""},

	{is(context.DeadlineExceeded), Unavailable, "try again, or look at the cluster and at AWS"},

	{NotServed, NotFound, "this cluster does not serve secretreview.dev: choose another --context, or install secretreview"},
	{apierrors.IsNotFound, NotFound, "look at --namespace and --context"},
	{apierrors.IsUnauthorized, Denied, "log in to the cluster again"},
	{apierrors.IsForbidden, Denied, "ask an administrator of the project for the right"},
	{apierrors.IsConflict, Conflict, "look at it again and retry"},
	{apierrors.IsAlreadyExists, Conflict, "try again"},
	{apierrors.IsInvalid, Refused, "correct what is named, and try again"},
	{apierrors.IsBadRequest, Refused, "see whether this program and the cluster are of the same release"},
	{apierrors.IsTooManyRequests, Unavailable, "try again later"},
	{apierrors.IsTimeout, Unavailable, "try again"},
	{apierrors.IsServerTimeout, Unavailable, "try again"},
	{apierrors.IsServiceUnavailable, Unavailable, "try again"},
	{apierrors.IsInternalError, Unavailable, "try again, or look at the API server's log"},

	{kind(secretstore.KindNotFound), NotFound, "look at the project, the environment, the region and the account"},
	{kind(secretstore.KindExists), Conflict, "try again"},
	{kind(secretstore.KindInvalidState), Refused, "it may be scheduled for deletion: ask whoever manages the secret in AWS"},
	{kind(secretstore.KindInvalidInput), Failure, "look at the names of the prefix, the project and the environment"},
	{kind(secretstore.KindLimit), Refused, "ask an administrator of the AWS account about its quotas"},
	{kind(secretstore.KindDenied), Denied, ""},
	{kind(secretstore.KindCredentials), Denied, ""},
	{kind(secretstore.KindThrottled), Unavailable, ""},
	{kind(secretstore.KindUnavailable), Unavailable, ""},

	{as[*document.TooLargeError], Refused, ""},
	{as[*document.ForeignError], Refused, ""},
	{as[*document.Error], Refused, ""},

	{is(fs.ErrNotExist), Failure, "look at the path"},
	{is(fs.ErrPermission), Failure, "look at who may read and write it"},
	{is(syscall.ENOSPC), Failure, "make room on the disk"},

	{as[*url.Error], Unavailable, "look at --context, and whether the cluster runs and can be reached"},
	{as[*net.OpError], Unavailable, "look at the network"},
}

func classify(err error) (Code, string) {
	if err == nil {
		return OK, ""
	}
	var silent *SilentError
	if errors.As(err, &silent) {
		return silent.Code, ""
	}
	// Ctrl-C is never a failure of something else, whoever noticed it.
	if errors.Is(err, context.Canceled) {
		return Cancelled, ""
	}
	var own *Error
	if errors.As(err, &own) {
		return own.Code, ""
	}
	for _, r := range rules {
		if r.matches(err) {
			return r.code, r.advice
		}
	}
	return Failure, ""
}
