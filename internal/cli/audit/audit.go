// Package audit is the commands that prove the history of an environment, and
// that hand it to others.
package audit

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/selector"
)

const long = `Prove the history of an environment, or hand it to others.

Every change that ends gets a record: what was proposed, by whom, who approved it, what
became of it. The record's digest covers the digest of the record before. The id of each
version in AWS that a change wrote is made of that change, its approvers and the records
so far. So whoever alters, removes or slips in a record in the cluster cannot hide it
without rewriting versions in AWS as well, and the other way round.`

// New returns the command, which consists of others.
func New(f *factory.Factory) *cobra.Command {
	command := &cobra.Command{Use: "audit", Short: "Prove the history, or hand it to others", Long: long, Args: factory.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	command.AddCommand(newVerify(f), newExport(f))
	return command
}

// environment is one history.
type environment struct {
	namespace, project, name string
	changes                  []v1alpha1.SecretChange
}

func (e *environment) String() string {
	return fmt.Sprintf("project %q, environment %q in namespace %q", e.project, e.name, e.namespace)
}

// read returns the histories that the listing is of, in the order of their
// names.
func read(ctx context.Context, kube client.Client, filter selector.Filter) ([]*environment, error) {
	type key struct{ namespace, project, name string }
	found := map[key]*environment{}
	err := selector.Each(ctx, kube, filter, func(c *v1alpha1.SecretChange) {
		k := key{c.Namespace, c.Spec.Project, c.Spec.Environment}
		if found[k] == nil {
			found[k] = &environment{namespace: k.namespace, project: k.project, name: k.name}
		}
		found[k].changes = append(found[k].changes, *c)
	})
	if err != nil {
		return nil, err
	}
	var out []*environment
	for _, e := range found {
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b *environment) int {
		return cmp.Or(cmp.Compare(a.namespace, b.namespace), cmp.Compare(a.project, b.project), cmp.Compare(a.name, b.name))
	})
	return out, nil
}
