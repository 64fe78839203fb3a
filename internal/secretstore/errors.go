package secretstore

import (
	"errors"
	"fmt"
)

// Kind tells what a caller can do about an error.
type Kind string

const (
	// KindNotFound: no such secret, version or stack.
	KindNotFound Kind = "NotFound"
	// KindExists: the name, or the VersionId with other content, is taken.
	KindExists Kind = "Exists"
	// KindInvalidState: the secret is scheduled for deletion, or managed by a
	// service, or the label is not where the request says.
	KindInvalidState Kind = "InvalidState"
	// KindInvalidInput: the request can never succeed as it is.
	KindInvalidInput Kind = "InvalidInput"
	// KindLimit: a quota of the service, such as MaxLabels.
	KindLimit Kind = "LimitExceeded"
	// KindDenied: IAM, the resource policy or the KMS key's policy says no, or
	// the KMS key is disabled.
	KindDenied Kind = "AccessDenied"
	// KindCredentials: there are none, or they are expired or invalid.
	KindCredentials Kind = "Credentials"
	// KindThrottled: too many requests; try again later.
	KindThrottled Kind = "Throttled"
	// KindUnavailable: the service failed or could not be reached, or the caller
	// gave up; whether a writing call took effect is not known.
	KindUnavailable Kind = "Unavailable"
)

// advice is the next step for each kind that has one whatever the call was.
var advice = map[Kind]string{
	KindDenied:      "ask for this right on the secret and its KMS key",
	KindCredentials: "sign in to AWS again, or check the credentials that this process is given",
	KindThrottled:   "try again later",
	KindUnavailable: "try again later",
}

// ErrNotSent is in the chain of an Error whose call never left this process.
var ErrNotSent = errors.New("it was not sent")

// Error is what every Store method fails with. Its text never holds a value.
type Error struct {
	Kind Kind
	// Op is the service's name of the call, such as PutSecretValue.
	Op string
	// ID is the secret that the call named, or the prefix of a List; empty where
	// it was about no secret.
	ID string
	// Code is the service's error code, if it answered.
	Code string
	// Message is what the service said, for the few codes whose messages are
	// made of names, ARNs, labels and principals alone.
	Message string
	// Err is a cause on this side, such as a refused connection.
	Err error
}

func (e *Error) Error() string {
	text := fmt.Sprintf("%s on secret %q: %s", e.Op, e.ID, e.reason())
	next := advice[e.Kind]
	if e.ID == "" {
		text = fmt.Sprintf("%s: %s", e.Op, e.reason())
		if e.Kind == KindDenied {
			next = "ask for this right"
		}
	}
	if next != "" {
		text += "; " + next
	}
	return text
}

func (e *Error) reason() string {
	switch {
	case e.Message != "":
		return fmt.Sprintf("AWS answered %s: %s", e.Code, e.Message)
	case e.Code != "":
		return fmt.Sprintf("AWS answered %s (%s)", e.Code, e.Kind)
	case e.Err != nil:
		return fmt.Sprintf("%s: %s", e.Kind, e.Err)
	default:
		return string(e.Kind)
	}
}

func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of a Store's error, or "" for any other error.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}

// Retryable reports whether the same call may succeed later without anybody
// changing the secret: throttling, an outage, denial or missing credentials.
func Retryable(err error) bool {
	switch KindOf(err) {
	case KindThrottled, KindUnavailable, KindDenied, KindCredentials:
		return true
	default:
		return false
	}
}
