package aws

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"unicode"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/secretreview/secretreview/internal/endpoint"
	"github.com/secretreview/secretreview/internal/secretstore"
)

const (
	codeLimitExceeded = "LimitExceededException"
	maxMessage        = 500
)

// kinds are the error codes of Secrets Manager, STS, CloudFormation and AWS's common front end
// (docs.aws.amazon.com/secretsmanager/latest/apireference, "Common Errors").
var kinds = map[string]secretstore.Kind{
	"ResourceNotFoundException": secretstore.KindNotFound,
	"ResourceExistsException":   secretstore.KindExists,

	"InvalidRequestException":     secretstore.KindInvalidState,
	"PreconditionNotMet":          secretstore.KindInvalidState,
	"PreconditionNotMetException": secretstore.KindInvalidState,

	"InvalidParameterException":        secretstore.KindInvalidInput,
	"InvalidNextTokenException":        secretstore.KindInvalidInput,
	"MalformedPolicyDocumentException": secretstore.KindInvalidInput,
	"ValidationException":              secretstore.KindInvalidInput,
	"ValidationError":                  secretstore.KindInvalidInput,
	"SerializationException":           secretstore.KindInvalidInput,
	"UnknownOperationException":        secretstore.KindInvalidInput,

	codeLimitExceeded: secretstore.KindLimit,

	"AccessDeniedException": secretstore.KindDenied,
	"AccessDenied":          secretstore.KindDenied,
	"NotAuthorized":         secretstore.KindDenied,
	"OptInRequired":         secretstore.KindDenied,
	"DecryptionFailure":     secretstore.KindDenied,
	"EncryptionFailure":     secretstore.KindDenied,

	"ExpiredToken":                        secretstore.KindCredentials,
	"ExpiredTokenException":               secretstore.KindCredentials,
	"IncompleteSignature":                 secretstore.KindCredentials,
	"InvalidClientTokenId":                secretstore.KindCredentials,
	"InvalidSignatureException":           secretstore.KindCredentials,
	"MissingAuthenticationToken":          secretstore.KindCredentials,
	"MissingAuthenticationTokenException": secretstore.KindCredentials,
	"RequestExpired":                      secretstore.KindCredentials,
	"SignatureDoesNotMatch":               secretstore.KindCredentials,
	"UnrecognizedClientException":         secretstore.KindCredentials,

	"InternalFailure":             secretstore.KindUnavailable,
	"InternalServiceError":        secretstore.KindUnavailable,
	"RequestTimeout":              secretstore.KindUnavailable,
	"RequestTimeoutException":     secretstore.KindUnavailable,
	"ServiceUnavailable":          secretstore.KindUnavailable,
	"ServiceUnavailableException": secretstore.KindUnavailable,
}

// quoted are the codes whose messages are kept. On call needs them (who lacks
// which right on what, what state the secret is in), and AWS writes them from
// principals, ARNs, names, labels and VersionIds. Messages about input are not
// kept, since AWS may quote the input.
var quoted = map[string]bool{
	"AccessDenied":            true,
	"AccessDeniedException":   true,
	"DecryptionFailure":       true,
	"EncryptionFailure":       true,
	"InvalidRequestException": true,
}

// labelMoved: where it names a version that has not got the label,
// UpdateSecretVersionStage answers with the code for bad input.
const labelMoved = "UpdateSecretVersionStage"

// stackDescribed answers with the code for bad input where there is no such stack.
const stackDescribed = "DescribeStacks"

// errUnreadable says nothing of the answer, which may hold values.
var errUnreadable = errors.New("the answer was cut off, or is not one of AWS: see whether a proxy stands in between")

// complete fails where an answer lacks what AWS always says: an empty one must
// not pass for a secret without versions.
func complete(op, id string, always ...*string) error {
	if slices.Contains(always, nil) {
		return &secretstore.Error{Kind: secretstore.KindUnavailable, Op: op, ID: id, Err: errUnreadable}
	}
	return nil
}

// classify makes an SDK error one of ours. Nothing of the SDK's error is kept
// that could hold a request or an answer.
func classify(ctx context.Context, op, id string, err error) error {
	if err == nil {
		return nil
	}
	e := &secretstore.Error{Op: op, ID: id}
	var (
		api         smithy.APIError
		credentials *credentialsError
		send        *smithyhttp.RequestSendError
		invalid     smithy.InvalidParamsError
		serialize   *smithy.SerializationError
		insecure    *endpoint.InsecureError
		answered    *smithyhttp.ResponseError
	)
	switch {
	case errors.As(err, &insecure):
		e.Kind, e.Err = secretstore.KindInvalidInput, insecure
	case errors.As(err, &api):
		e.Code, e.Kind = api.ErrorCode(), kindOf(op, api.ErrorCode(), err)
		if quoted[e.Code] {
			e.Message = printable(api.ErrorMessage())
		}
	case ctx.Err() != nil:
		e.Kind, e.Err = secretstore.KindUnavailable, ctx.Err()
	case errors.As(err, &credentials):
		e.Kind, e.Err = secretstore.KindCredentials, credentials
	case errors.As(err, &invalid), errors.As(err, &serialize):
		e.Kind, e.Err = secretstore.KindInvalidInput, errors.New("the request lacks a required field")
	case errors.As(err, &send):
		e.Kind, e.Err = secretstore.KindUnavailable, networkCause(send.Err)
	case errors.As(err, &answered):
		e.Kind, e.Err = secretstore.KindUnavailable, errUnreadable
	default:
		e.Kind, e.Err = secretstore.KindUnavailable, fmt.Errorf("unexpected failure (%T)", err)
	}
	return e
}

func kindOf(op, code string, err error) secretstore.Kind {
	kind, known := kinds[code]
	if known {
		if op == labelMoved && code == "InvalidParameterException" {
			return secretstore.KindInvalidState
		}
		if op == stackDescribed && code == "ValidationError" {
			return secretstore.KindNotFound
		}
		return kind
	}
	if _, throttled := retry.DefaultThrottleErrorCodes[code]; throttled {
		return secretstore.KindThrottled
	}
	var response *smithyhttp.ResponseError
	if !errors.As(err, &response) {
		return secretstore.KindUnavailable
	}
	switch status := response.HTTPStatusCode(); {
	case status == http.StatusTooManyRequests:
		return secretstore.KindThrottled
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return secretstore.KindDenied
	case status >= http.StatusInternalServerError:
		return secretstore.KindUnavailable
	}
	return secretstore.KindInvalidInput
}

// networkCause keeps addresses and system errors.
func networkCause(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return fmt.Errorf("%s cannot be reached: %w", origin(u.URL), u.Err)
	}
	return err
}

func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "the AWS endpoint"
	}
	return u.Scheme + "://" + u.Host
}

func codeOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// printable cuts a message to one line of bounded length.
func printable(message string) string {
	message = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, message)
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "") + "…"
	}
	return strings.TrimSpace(message)
}

// credentialsError marks what the credentials chain failed with, which the SDK
// gives no type of its own.
type credentialsError struct{ err error }

func (e *credentialsError) Error() string { return printable(e.err.Error()) }

func (e *credentialsError) Unwrap() error { return e.err }

type markedProvider struct{ awssdk.CredentialsProvider }

func (p *markedProvider) Retrieve(ctx context.Context) (awssdk.Credentials, error) {
	c, err := p.CredentialsProvider.Retrieve(ctx)
	var process *processcreds.ProviderError
	switch {
	case err == nil:
		return c, nil
	case errors.As(err, &process):
		return c, &credentialsError{processFailure(process)}
	default:
		return c, &credentialsError{err}
	}
}

// processFailure leaves out what a credential_process has printed, which the
// SDK quotes where it is not JSON alone: credentials.
func processFailure(err *processcreds.ProviderError) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return fmt.Errorf("the profile's credential_process failed with %w: run it by hand", exit)
	}
	return errors.New("the profile's credential_process gave no credentials, or printed something beside their JSON: run it by hand")
}
