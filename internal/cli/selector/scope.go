package selector

import (
	"context"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
)

// Scope says of which projects a listing is.
type Scope struct{ All, AllNamespaces bool }

// AddFlags binds --all and -A.
func (s *Scope) AddFlags(flags *pflag.FlagSet) {
	flags.BoolVar(&s.All, "all", false, "of all projects of the namespace")
	flags.BoolVarP(&s.AllNamespaces, "all-namespaces", "A", false, "of all projects of all namespaces")
}

// Listing is a resolved Scope.
type Listing struct {
	Filter
	// Project is nil where the listing is of several. Environments are the
	// environments of the project that it is of.
	Project      *v1alpha1.SecretProject
	Environments []v1alpha1.Environment
}

// String names the listing as messages do.
func (l *Listing) String() string {
	switch {
	case l.Project == nil:
		return l.Place()
	case l.Environment == "":
		return fmt.Sprintf("project %q in %s", l.Project.Name, l.Place())
	default:
		return fmt.Sprintf("project %q, environment %q in %s", l.Project.Name, l.Environment, l.Place())
	}
}

// Resolve returns what the listing is of: the project and environment of flags
// and configuration, all environments of the project if only that is known,
// and the whole namespace if nothing is.
func (s *Scope) Resolve(ctx context.Context, f *factory.Factory, phases Phases) (*Listing, error) {
	if (s.All || s.AllNamespaces) && (f.Flags.Project != "" || f.Flags.Environment != "") {
		return nil, exit.Errorf(exit.Usage, "--all and -A are of all projects: leave --project and --env out, or them")
	}
	l := &Listing{Filter: Filter{Phases: phases}}
	if s.AllNamespaces {
		return l, nil
	}
	var err error
	if l.Namespace, err = f.Namespace(); err != nil {
		return nil, err
	}
	c, err := f.Config()
	if err != nil || s.All {
		return l, err
	}
	switch {
	case c.Project == "" && c.Environment != "":
		return l, f.RequireSelection(c)
	case c.Project == "":
		return l, nil
	case c.Environment == "":
		if l.Project, err = f.FindProject(ctx, c.Project); err != nil {
			return nil, err
		}
		l.Environments = l.Project.Spec.Environments
	default:
		target, err := f.ResolveProject(ctx)
		if err != nil {
			return nil, err
		}
		l.Project, l.Environments = target.Project, []v1alpha1.Environment{target.Environment}
		l.Environment = target.Environment.Name
	}
	l.Filter.Project = l.Project.Name
	return l, nil
}
