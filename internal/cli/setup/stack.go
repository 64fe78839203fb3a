// Package setup is what the commands that write configuration share: reading a
// CloudFormation stack, asking the person, and showing what was written.
package setup

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/secretreview/secretreview/internal/cli/config"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// Keys of a stack's outputs. In the stacks of cdk-gitify-secrets the key of the
// prefix stands within the name of a construct and a hash
// (src/cli/auth.ts, OUTPUT_PATTERNS), and the region is not told.
const (
	outputPrefix = "SecretPrefix"
	outputRegion = "Region"
)

// ReadStack returns the region and the prefix that a CloudFormation stack
// outputs. It is looked for in a region, or without one in that of the SDK's
// default chain; where it does not say in which region its secrets are, it is
// that one.
func ReadStack(ctx context.Context, f *factory.Factory, name, region string) (config.Config, error) {
	account, err := f.NewAccount(ctx, region)
	if err != nil {
		return config.Config{}, err
	}
	outputs, err := account.StackOutputs(ctx, name)
	if secretstore.KindOf(err) == secretstore.KindNotFound {
		return config.Config{}, exit.Errorf(exit.NotFound, "there is no stack %q in region %s: look at its name, at --region, and at the account", name, account.Region())
	}
	if err != nil {
		return config.Config{}, fmt.Errorf("read the outputs of stack %q in region %s: %w", name, account.Region(), err)
	}
	found, err := locate(outputs)
	if err != nil {
		return config.Config{}, exit.Errorf(exit.NotFound, "stack %q in region %s %w: name a stack of secretreview's", name, account.Region(), err)
	}
	return found.Over(config.Config{Region: account.Region()}), nil
}

// locate finds what a stack's outputs say of where the secrets are.
func locate(outputs map[string]string) (config.Config, error) {
	found := config.Config{Region: outputs[outputRegion], Prefix: outputs[outputPrefix]}
	if found.Prefix != "" {
		return found, nil
	}
	values := map[string]bool{}
	for key, value := range outputs {
		if strings.Contains(key, outputPrefix) && value != "" {
			values[value] = true
		}
	}
	switch prefixes := slices.Sorted(maps.Keys(values)); len(prefixes) {
	case 0:
		return config.Config{}, fmt.Errorf("has no output %s", outputPrefix)
	case 1:
		found.Prefix = prefixes[0]
		return found, nil
	default:
		return config.Config{}, fmt.Errorf("has several outputs %s, with %s", outputPrefix, strings.Join(prefixes, " and "))
	}
}
