package audit

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/audit"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/printers"
	"github.com/secretreview/secretreview/internal/cli/selector"
	"github.com/secretreview/secretreview/internal/cli/terminal"
	"github.com/secretreview/secretreview/internal/cli/wording"
	"github.com/secretreview/secretreview/internal/secretstore"
)

const (
	verifyLong = `Walk the records of all changes that have ended, and name each place where they do not
hold: a record that was altered, taken away, slipped in or put elsewhere. The records are
compared with each other and with the ids and labels of the versions in AWS, which needs
the right to describe the live secret; --offline leaves AWS out, and then nothing bears
witness but the cluster itself.

It exits with 0 where everything holds, and with 3 where something does not.`

	verifyExamples = `  # The current project and environment
  {{P}} audit verify

  # The whole namespace, for a machine
  {{P}} audit verify --all -o json

  # Also what has been trimmed since it was exported
  {{P}} audit verify --export history.jsonl`

	outputJSON = "json"
)

type verifyOptions struct {
	factory *factory.Factory
	scope   selector.Scope
	output  string
	export  string
	offline bool
}

func newVerify(f *factory.Factory) *cobra.Command {
	o := &verifyOptions{factory: f}
	command := &cobra.Command{
		Use: "verify", Short: "Walk the records, and name each break", Long: verifyLong,
		Example: strings.ReplaceAll(verifyExamples, "{{P}}", f.Program), Args: factory.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	flags := command.Flags()
	o.scope.AddFlags(flags)
	flags.BoolVar(&o.offline, "offline", false, "do not ask AWS")
	flags.StringVar(&o.export, "export", "", "file of an earlier \"audit export\", or -: what it has must still be so, and takes the place of what is trimmed")
	const output = "output"
	flags.StringVarP(&o.output, output, "o", "", "json")
	if err := command.RegisterFlagCompletionFunc(output, cobra.FixedCompletions([]string{outputJSON}, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // there is no such flag
	}
	return command
}

// verified is what came of one environment.
type verified struct {
	Namespace   string `json:"namespace"`
	Project     string `json:"project"`
	Environment string `json:"environment"`
	// AWS says whether AWS was asked.
	AWS bool `json:"aws"`
	audit.Report
}

func (o *verifyOptions) run(ctx context.Context) error {
	if o.output != "" && o.output != outputJSON {
		return exit.Errorf(exit.Usage, "unknown output %q: choose json", o.output)
	}
	listing, err := o.scope.Resolve(ctx, o.factory, selector.Phases{})
	if err != nil {
		return err
	}
	kube, err := o.factory.Kube()
	if err != nil {
		return err
	}
	environments, err := read(ctx, kube, listing.Filter)
	if err != nil {
		return err
	}
	projects, err := projectsOf(ctx, kube, listing)
	if err != nil {
		return err
	}
	for i := range projects {
		environments = withAll(environments, &projects[i], listing.Environment)
	}
	var exported []v1alpha1.SecretChange
	if o.export != "" {
		if exported, err = readExport(ctx, o.factory, o.export); err != nil {
			return err
		}
	}
	results := []verified{}
	for _, e := range environments {
		result, err := o.verify(ctx, e, projects, exported)
		if err != nil {
			return err
		}
		results = append(results, result)
	}
	return o.report(listing, results)
}

// projectsOf are the projects that the listing is of.
func projectsOf(ctx context.Context, kube client.Client, l *selector.Listing) ([]v1alpha1.SecretProject, error) {
	if l.Project != nil {
		return []v1alpha1.SecretProject{*l.Project}, nil
	}
	var all v1alpha1.SecretProjectList
	if err := kube.List(ctx, &all, client.InNamespace(l.Namespace)); err != nil {
		return nil, fmt.Errorf("list the projects in %s: %w", l.Place(), err)
	}
	return all.Items, nil
}

// withAll adds the project's environments of which there is no change, because
// AWS may know of some.
func withAll(environments []*environment, p *v1alpha1.SecretProject, only string) []*environment {
	for _, status := range p.Status.Environments {
		there := slices.ContainsFunc(environments, func(e *environment) bool {
			return e.namespace == p.Namespace && e.project == p.Name && e.name == status.Name
		})
		if !there && (only == "" || only == status.Name) {
			environments = append(environments, &environment{namespace: p.Namespace, project: p.Name, name: status.Name})
		}
	}
	return environments
}

func (o *verifyOptions) verify(ctx context.Context, e *environment, projects []v1alpha1.SecretProject, exported []v1alpha1.SecretChange) (verified, error) {
	history := audit.History{Changes: e.changes}
	for i := range exported {
		if c := &exported[i]; c.Namespace == e.namespace && c.Spec.Project == e.project && c.Spec.Environment == e.name {
			history.Exported = append(history.Exported, *c)
		}
	}
	for i := range projects {
		p := &projects[i]
		status := p.Status.Environment(e.name)
		if o.offline || p.Namespace != e.namespace || p.Name != e.project || status == nil || status.SecretName == "" {
			continue
		}
		store, err := o.factory.Store(ctx, p.Status.Region)
		if err != nil {
			return verified{}, err
		}
		secret, err := store.Describe(ctx, status.SecretName)
		switch {
		case secretstore.KindOf(err) == secretstore.KindNotFound:
			history.Secret = map[string][]string{}
		case err != nil:
			return verified{}, fmt.Errorf("compare the records of %s with AWS, which --offline leaves out: %w", e, err)
		default:
			history.Secret = secret.Versions
		}
	}
	return verified{e.namespace, e.project, e.name, history.Secret != nil, audit.Verify(history)}, nil
}

// report shows the results, and fails where a history does not hold.
func (o *verifyOptions) report(l *selector.Listing, results []verified) error {
	breaks := 0
	for _, r := range results {
		breaks += len(r.Breaks)
	}
	err := o.print(l, results)
	if err == nil && breaks > 0 {
		err = &exit.SilentError{Code: exit.Refused} // the report says why
	}
	return err
}

func (o *verifyOptions) print(l *selector.Listing, results []verified) error {
	f := o.factory
	if o.output == outputJSON {
		return printers.PrintJSON(f.Out, results)
	}
	if len(results) == 0 {
		_, err := fmt.Fprintf(f.ErrOut, "No history in %s.\n", l)
		return err
	}
	styles := terminal.NewStyles(f.Terminal.Color)
	table := &printers.Table{Columns: []printers.Column{
		{Title: "NAMESPACE", Min: 8, Name: true, Drop: 4}, {Title: "PROJECT", Min: 8, Name: true}, {Title: "ENVIRONMENT", Min: 8, Name: true},
		{Title: "LIVE", Drop: 2}, {Title: "OTHER", Drop: 3}, {Title: "IN AWS", Drop: 1}, {Title: "RESULT"},
	}}
	for _, r := range results {
		result := printers.Cell{Text: "holds", Style: styles.Good}
		if len(r.Breaks) > 0 {
			result = printers.Cell{Text: "broken", Style: styles.Bad}
		}
		witnesses := "not asked"
		if r.AWS {
			witnesses = fmt.Sprint(r.Witnessed)
		}
		table.Rows = append(table.Rows, []printers.Cell{printers.Text(r.Namespace), printers.Text(r.Project), printers.Text(r.Environment),
			printers.Text(numbers(r.Live)), printers.Text(numbers(r.Other)), printers.Text(witnesses), result})
	}
	if err := table.Print(f.Out, f.Terminal.Width, styles); err != nil {
		return err
	}
	for _, r := range results {
		for _, line := range append(broken(r), notes(r.Report)...) {
			where := fmt.Sprintf("%s/%s: ", r.Project, r.Environment)
			if _, err := fmt.Fprintln(f.Out, strings.Join(terminal.Lines(where+line), " ")); err != nil {
				return fmt.Errorf("write the report: %w", err)
			}
		}
	}
	return nil
}

// numbers shows which records are there.
func numbers(s audit.Span) string {
	switch {
	case s.Records == 0:
		return "none"
	case s.First == s.Last:
		return fmt.Sprint(s.First)
	default:
		return fmt.Sprintf("%d-%d", s.First, s.Last)
	}
}

// broken says where the history does not hold, the first place first.
func broken(r verified) []string {
	var lines []string
	for _, b := range r.Breaks {
		place := "broken: "
		if b.Sequence > 0 {
			place = fmt.Sprintf("broken at record %d of the chain %s: ", b.Sequence, b.Chain)
		}
		lines = append(lines, place+b.Message)
	}
	return lines
}

// notes says what is no break, and a reader has to know.
func notes(r audit.Report) []string {
	var lines []string
	note := func(n int, what, format string) {
		if n > 0 {
			lines = append(lines, "note: "+fmt.Sprintf(format, wording.Count(n, what)))
		}
	}
	note(int(max(r.Live.First-1, 0)), "record", "%s of what became live came before, and are trimmed")
	note(int(max(r.Other.First-1, 0)), "record", "%s of what did not become live came before, and are trimmed")
	note(r.Live.Islands+r.Other.Islands, "older record", "%s are kept because Git owns them; what joined them to the chain is trimmed, so compare them with Git")
	note(r.Live.Forks+r.Other.Forks, "record", "%s follow the same one as another, because two managers worked at once")
	note(r.Restored, "record", "%s were brought back from a backup")
	note(r.Unchained, "change", "%s ended before records were chained")
	return lines
}
