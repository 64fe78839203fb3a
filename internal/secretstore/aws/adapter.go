// Package aws adapts AWS Secrets Manager, STS and CloudFormation to the ports of
// package secretstore. It alone imports the AWS SDK, and classifies every error once.
package aws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
	"golang.org/x/time/rate"

	"github.com/secretreview/secretreview/internal/secretstore"
)

// Defaults of Options.
const (
	// DefaultMaxAttempts bounds how often one call is tried, the first included.
	DefaultMaxAttempts = 4
	// DefaultMaxBackoff bounds the wait between two attempts.
	DefaultMaxBackoff = 5 * time.Second
	// DefaultRequestTimeout bounds one attempt.
	DefaultRequestTimeout = 15 * time.Second
	// DefaultWritesPerSecond leaves room to others: the service takes 50 writing
	// calls a second from a whole account in one region (its quotas page).
	DefaultWritesPerSecond = 20
	// writeBurst is how many writing calls may go out at once after a pause, so that
	// 45 a second stay within 50 in any one second.
	writeBurst = 5
)

// Options configure an Adapter. The zero value takes region, credentials and
// endpoint from the SDK's default chain: environment (AWS_REGION,
// AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_SECRETS_MANAGER …), profiles, SSO, IRSA,
// EKS Pod Identity, instance roles.
type Options struct {
	Region, Profile string
	// EndpointURL is asked instead of AWS, for all services. Like every other
	// address it must be one that endpoint.Check allows.
	EndpointURL string
	// Credentials are used instead of the chain.
	Credentials *StaticCredentials
	// Version stands in the user agent, as secretreview/<version>.
	Version string
	// MaxAttempts, MaxBackoff, RequestTimeout and WritesPerSecond default to the
	// constants above.
	MaxAttempts     int
	MaxBackoff      time.Duration
	RequestTimeout  time.Duration
	WritesPerSecond float64
	// OnCall, if set, sees each call after its last attempt: the service's name
	// of it, "" or the kind of its error, and how long it took. List makes one
	// call for each page.
	OnCall func(op string, kind secretstore.Kind, took time.Duration)
	// OnRequest, if set, sees each request that is sent, so each attempt of a
	// call: its operation, and one of few codes: CodeOK, one of AWS's that are
	// known here, CodeOther or CodeUnanswered. The requests by which the
	// credentials chain asks AWS are among them.
	OnRequest func(op, code string)
	// Now tells OnCall's time; default time.Now.
	Now func() time.Time
}

// StaticCredentials are an access key.
type StaticCredentials struct {
	AccessKeyID, SecretAccessKey, SessionToken string
}

// Adapter is a secretstore.Store and a secretstore.Account. It is safe for
// concurrent use; its limit on writing calls is shared by all that use it.
type Adapter struct {
	region  string
	secrets *secretsmanager.Client
	sts     *sts.Client
	// stacks is one call of CloudFormation's client. The client itself, in a type
	// that others can look into, would have the linker keep all of its calls,
	// 1.5 MB of them.
	stacks func(context.Context, *cloudformation.DescribeStacksInput, ...func(*cloudformation.Options)) (*cloudformation.DescribeStacksOutput, error)
	writes *rate.Limiter
	onCall func(op string, kind secretstore.Kind, took time.Duration)
	now    func() time.Time
}

var (
	_ secretstore.Store   = (*Adapter)(nil)
	_ secretstore.Account = (*Adapter)(nil)
)

// New loads the configuration. It makes no call: credentials that are missing
// or wrong show at the first one.
func New(ctx context.Context, o Options) (*Adapter, error) {
	o.setDefaults()
	cfg, err := config.LoadDefaultConfig(ctx, o.load()...)
	if err != nil {
		return nil, fmt.Errorf("load the AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return nil, errors.New("no AWS region is known: name one, or set AWS_REGION")
	}
	if cfg.Credentials != nil {
		cfg.Credentials = &markedProvider{cfg.Credentials}
	}
	if o.EndpointURL != "" {
		cfg.BaseEndpoint = &o.EndpointURL
	}
	return &Adapter{
		region:  cfg.Region,
		secrets: secretsmanager.NewFromConfig(cfg),
		sts:     sts.NewFromConfig(cfg),
		stacks:  cloudformation.NewFromConfig(cfg).DescribeStacks,
		writes:  rate.NewLimiter(rate.Limit(o.WritesPerSecond), writeBurst),
		onCall:  o.OnCall,
		now:     o.Now,
	}, nil
}

// Region is the region that the Adapter calls.
func (a *Adapter) Region() string { return a.region }

func (o *Options) setDefaults() {
	if o.MaxAttempts == 0 {
		o.MaxAttempts = DefaultMaxAttempts
	}
	if o.MaxBackoff == 0 {
		o.MaxBackoff = DefaultMaxBackoff
	}
	if o.RequestTimeout == 0 {
		o.RequestTimeout = DefaultRequestTimeout
	}
	if o.WritesPerSecond == 0 {
		o.WritesPerSecond = DefaultWritesPerSecond
	}
	if o.Version == "" {
		o.Version = "unknown"
	}
	if o.OnCall == nil {
		o.OnCall = func(string, secretstore.Kind, time.Duration) {}
	}
	if o.OnRequest == nil {
		o.OnRequest = func(string, string) {}
	}
	if o.Now == nil {
		o.Now = time.Now //nolint:forbidigo // the default of an injected clock
	}
}

func (o *Options) load() []func(*config.LoadOptions) error {
	load := []func(*config.LoadOptions) error{
		config.WithRetryer(o.retryer),
		config.WithLogger(logging.Nop{}), // what it warns of, the call's error says
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTimeout(o.RequestTimeout)),
		config.WithAPIOptions([]func(*middleware.Stack) error{
			awsmiddleware.AddUserAgentKeyValue("secretreview", o.Version),
			o.counted,
			onlySecure, // around the others: what it refuses is not sent
		}),
	}
	if o.Region != "" {
		load = append(load, config.WithRegion(o.Region))
	}
	if o.Profile != "" {
		load = append(load, config.WithSharedConfigProfile(o.Profile))
	}
	if c := o.Credentials; c != nil {
		load = append(load, config.WithCredentialsProvider(
			credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, c.SessionToken)))
	}
	return load
}

// retryer is the SDK's standard one, but for two errors. LimitExceededException
// in Secrets Manager means a quota of the secret, which no waiting changes. And
// the SDK tries again after a connection that is reset in the middle of an
// answer, but not after one that just ends there.
func (o *Options) retryer() awssdk.Retryer {
	return retry.NewStandard(func(s *retry.StandardOptions) {
		s.MaxAttempts = o.MaxAttempts
		s.MaxBackoff = o.MaxBackoff
		s.Retryables = append([]retry.IsErrorRetryable{
			retry.IsErrorRetryableFunc(func(err error) awssdk.Ternary {
				switch {
				case codeOf(err) == codeLimitExceeded:
					return awssdk.FalseTernary
				case errors.Is(err, io.ErrUnexpectedEOF):
					return awssdk.TrueTernary
				}
				return awssdk.UnknownTernary
			}),
		}, s.Retryables...)
	})
}
