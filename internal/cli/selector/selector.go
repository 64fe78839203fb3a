// Package selector finds the changes that a person means.
package selector

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/validate/content"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/terminal"
)

// Options say which change is meant, beside the command's argument.
type Options struct {
	ID     string
	Latest bool
	// Applied says that the latest is the one that was applied last, and not the
	// newest pending one. A prefix then means an applied change first.
	Applied bool
	// Whole says that a change must be named by its whole name or UID, where
	// nobody will look at what was found.
	Whole bool
}

// AddFlags binds --id and --latest.
func (o *Options) AddFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.ID, "id", "", "the change, as the argument names it, or its UID")
	which := "the newest pending change of the current project and environment"
	if o.Applied {
		which = "the change that was applied last in the current project and environment"
	}
	flags.BoolVar(&o.Latest, "latest", false, which)
}

// Args is a cobra.PositionalArgs: at most one change.
func Args(_ *cobra.Command, args []string) error {
	if len(args) > 1 {
		return fmt.Errorf("it takes one change, not %d", len(args))
	}
	return nil
}

// Named reports whether a change is named in any way.
func (o *Options) Named(args []string) bool { return len(args) > 0 || o.ID != "" || o.Latest }

// Find returns the change that args and options name: by its whole name, by a
// prefix that only one unfinished change has, or else only one finished one, by
// its UID, or as the latest pending one. It looks into the current namespace
// alone, and for the latest into the current project and environment alone. It
// fails with an exit.Error of Usage or NotFound, and of Refused where the
// change is not of the project or environment that the flags name.
func (o *Options) Find(ctx context.Context, f *factory.Factory, args []string) (*v1alpha1.SecretChange, error) {
	wanted, err := o.wanted(f, args)
	if err != nil {
		return nil, err
	}
	if wanted == "" {
		return o.latest(ctx, f)
	}
	change, err := o.find(ctx, f, wanted)
	if err != nil {
		return nil, err
	}
	return change, checkFlags(ctx, f, change)
}

func (o *Options) wanted(f *factory.Factory, args []string) (string, error) {
	given := slices.Clone(args)
	if o.ID != "" {
		given = append(given, o.ID)
	}
	switch {
	case len(given) > 1 || o.Latest && len(given) > 0:
		return "", exit.Errorf(exit.Usage, "a change is named twice: give its name, --id or --latest, and only one of them")
	case len(given) == 1 && given[0] != "":
		return given[0], nil
	case o.Latest:
		return "", nil
	default:
		list := "status"
		if o.Applied {
			list = "history"
		}
		return "", exit.Errorf(exit.Usage, "no change is named: give its name, or --latest; \"%s %s\" lists them", f.Program, list)
	}
}

func (o *Options) find(ctx context.Context, f *factory.Factory, wanted string) (*v1alpha1.SecretChange, error) {
	kube, namespace, err := connect(f)
	if err != nil {
		return nil, err
	}
	change := &v1alpha1.SecretChange{}
	get := func(name string) error {
		return kube.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, change)
	}
	if len(content.IsDNS1123Subdomain(wanted)) == 0 {
		err := get(wanted)
		if err == nil {
			return change, nil
		}
		if !apierrors.IsNotFound(err) || exit.NotServed(err) {
			return nil, fmt.Errorf("read change %q in namespace %q: %w", wanted, namespace, err)
		}
	}
	name, err := match(ctx, kube, namespace, wanted, o.order())
	if err != nil {
		return nil, err
	}
	if o.Whole && !wholeUID.MatchString(wanted) {
		return nil, exit.Errorf(exit.Usage, "%q is only the beginning of a change's name, and nothing is asked with -y: type the whole name, %s", wanted, name)
	}
	if err := get(name); err != nil {
		return nil, fmt.Errorf("read change %q in namespace %q: %w", name, namespace, err)
	}
	return change, nil
}

// wholeUID is the form of a UID of Kubernetes.
var wholeUID = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// minUID is how much of a UID names a change; less could be a word.
const minUID = 8

// order is where a prefix is looked up first, and then.
func (o *Options) order() []Phases {
	if o.Applied {
		return []Phases{AppliedOnes, Unfinished, Finished}
	}
	return []Phases{Unfinished, Finished}
}

// match returns the name of the one change that has a prefix.
func match(ctx context.Context, kube client.Client, namespace, prefix string, order []Phases) (string, error) {
	for _, phases := range order {
		names, err := matches(ctx, kube, Filter{Namespace: namespace, Phases: phases}, prefix)
		if err != nil {
			return "", err
		}
		switch len(names) {
		case 0:
		case 1:
			return names[0], nil
		default:
			return "", exit.Errorf(exit.Usage, "%q is the beginning of %d changes: %s; type more of the name",
				prefix, len(names), list(names))
		}
	}
	return "", exit.Errorf(exit.NotFound, "namespace %q has no change %q, nor one whose name begins so: look at the name and at --namespace",
		namespace, prefix)
}

func matches(ctx context.Context, kube client.Client, filter Filter, prefix string) ([]string, error) {
	var names []string
	empty := func() client.ObjectList {
		l := &metav1.PartialObjectMetadataList{}
		l.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("SecretChangeList"))
		return l
	}
	err := pages(ctx, kube, filter, empty, func(page client.ObjectList) {
		for _, item := range page.(*metav1.PartialObjectMetadataList).Items {
			byUID := len(prefix) >= minUID && strings.HasPrefix(string(item.UID), prefix)
			if byUID || strings.HasPrefix(item.Name, prefix) {
				names = append(names, item.Name)
			}
		}
	})
	return names, err
}

// maxListed bounds how many names an error lists.
const maxListed = 10

func list(names []string) string {
	text := strings.Join(names[:min(len(names), maxListed)], ", ")
	if more := len(names) - maxListed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// latest returns the newest pending change of the current environment, or the
// one that was applied last.
func (o *Options) latest(ctx context.Context, f *factory.Factory) (*v1alpha1.SecretChange, error) {
	target, err := f.ResolveProject(ctx)
	if err != nil {
		return nil, err
	}
	kube, err := f.Kube()
	if err != nil {
		return nil, err
	}
	phases, which, newer := Pending, "pending", Newer
	if o.Applied {
		phases, which, newer = AppliedOnes, "applied", AppliedLater
	}
	var newest *v1alpha1.SecretChange
	filter := Filter{Namespace: target.Namespace, Project: target.Project.Name, Environment: target.Environment.Name, Phases: phases}
	err = Each(ctx, kube, filter, func(c *v1alpha1.SecretChange) {
		if (newest == nil || newer(c, newest)) && (!o.Applied || !c.Adopted()) {
			newest = c
		}
	})
	if err != nil {
		return nil, err
	}
	if newest == nil {
		return nil, exit.Errorf(exit.NotFound, "%s has no %s change: \"%s status\" shows the unfinished ones, \"%s history\" the others",
			target, which, f.Program, f.Program)
	}
	return newest, nil
}

// AppliedLater orders changes by when they became live.
func AppliedLater(a, b *v1alpha1.SecretChange) bool {
	at, bt := a.Status.AppliedAt, b.Status.AppliedAt
	if at == nil || bt == nil || at.Equal(bt) {
		return (at != nil && bt == nil) || (at != nil) == (bt != nil) && Newer(a, b)
	}
	return at.After(bt.Time)
}

// Newer orders changes by creation, and by name where that is equal: the API
// server keeps whole seconds.
func Newer(a, b *v1alpha1.SecretChange) bool {
	if order := a.CreationTimestamp.Compare(b.CreationTimestamp.Time); order != 0 {
		return order > 0
	}
	if a.Namespace != b.Namespace {
		return a.Namespace > b.Namespace
	}
	return a.Name > b.Name
}

// checkFlags refuses a change of another project or environment than the flags
// say. What configuration files say is only a default.
func checkFlags(ctx context.Context, f *factory.Factory, change *v1alpha1.SecretChange) error {
	if f.Flags.Project != "" && f.Flags.Project != change.Spec.Project {
		project, err := f.FindProject(ctx, f.Flags.Project)
		if err != nil {
			return err
		}
		if project.Name != change.Spec.Project {
			return exit.Errorf(exit.Refused, "change %q is of project %q, not %q: leave --project out, or name another change",
				change.Name, change.Spec.Project, f.Flags.Project)
		}
	}
	if f.Flags.Environment != "" && f.Flags.Environment != change.Spec.Environment {
		return exit.Errorf(exit.Refused, "change %q is of environment %q, not %q: leave --env out, or name another change",
			change.Name, change.Spec.Environment, f.Flags.Environment)
	}
	return nil
}

func connect(f *factory.Factory) (client.Client, string, error) {
	namespace, err := f.Namespace()
	if err != nil {
		return nil, "", err
	}
	kube, err := f.Kube()
	return kube, namespace, err
}

// Complete offers the unfinished changes of the namespace to a shell.
func Complete(f *factory.Factory) cobra.CompletionFunc { return complete(f, Unfinished) }

// CompleteApplied offers the applied ones.
func CompleteApplied(f *factory.Factory) cobra.CompletionFunc { return complete(f, AppliedOnes) }

// CompleteRebasable offers those that can be made anew.
func CompleteRebasable(f *factory.Factory) cobra.CompletionFunc { return complete(f, Rebasable) }

func complete(f *factory.Factory, phases Phases) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, prefix string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		kube, namespace, err := connect(f)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		var offers []cobra.Completion
		filter := Filter{Namespace: namespace, Phases: phases, Environment: f.Flags.Environment}
		if f.Flags.Project != "" {
			project, err := f.FindProject(cmd.Context(), f.Flags.Project)
			if err != nil {
				return nil, cobra.ShellCompDirectiveError
			}
			filter.Project = project.Name
		}
		err = Each(cmd.Context(), kube, filter, func(c *v1alpha1.SecretChange) {
			if strings.HasPrefix(c.Name, prefix) {
				about := c.Spec.Project + "/" + c.Spec.Environment + ": " + terminal.Escape(c.Spec.Reason)
				offers = append(offers, cobra.CompletionWithDesc(c.Name, about))
			}
		})
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		return offers, cobra.ShellCompDirectiveNoFileComp
	}
}
