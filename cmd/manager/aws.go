package main

import (
	"context"
	"fmt"

	"github.com/secretreview/secretreview/internal/controller/metrics"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/secretstore/aws"
)

// openAWS returns the adapter and the account that it works in. m may be nil.
func openAWS(ctx context.Context, o *options, m *metrics.Metrics) (*aws.Adapter, string, error) {
	options := aws.Options{
		Version:         release(),
		WritesPerSecond: o.awsWritesPerSecond,
		MaxAttempts:     o.awsMaxAttempts,
		RequestTimeout:  o.awsRequestTimeout,
	}
	if m != nil {
		options.OnCall, options.OnRequest = m.AWSCall, m.AWSRequest
	}
	adapter, err := aws.New(ctx, options)
	if err != nil {
		return nil, "", err
	}
	account, err := accountOf(ctx, adapter, o.awsAccount)
	return adapter, account, err
}

// accountOf asks who we are. Where STS cannot be reached, which private networks
// leave out, a given account is believed.
func accountOf(ctx context.Context, sts secretstore.Identifier, given string) (string, error) {
	identity, err := sts.CallerIdentity(ctx)
	switch {
	case err != nil && given != "" && secretstore.KindOf(err) == secretstore.KindUnavailable:
		return given, nil
	case err != nil:
		return "", fmt.Errorf("cannot learn which AWS account this is, which keeps other accounts' secrets apart: %w", err)
	case given != "" && given != identity.Account:
		return "", fmt.Errorf("the credentials are those of AWS account %s, but --aws-account says %s", identity.Account, given)
	default:
		return identity.Account, nil
	}
}
