package login

import (
	"fmt"
	"strings"

	"github.com/secretreview/secretreview/internal/cli/printers"
	"github.com/secretreview/secretreview/internal/cli/terminal"
)

func (o *options) print(r *report) error {
	f := o.factory
	styles := terminal.NewStyles(f.Terminal.Color)
	if err := printers.PrintFields(f.Out, f.Terminal.Width, styles, []printers.Field{clusterField(r.Cluster, styles), awsField(r.AWS, styles)}); err != nil {
		return err
	}
	if len(r.Environments) > 0 {
		_, _ = fmt.Fprintln(f.Out)
		if err := o.table(r.Environments, styles).Print(f.Out, f.Terminal.Width, styles); err != nil {
			return err
		}
	}
	for i, n := range r.Missing {
		if i == 0 {
			_, _ = fmt.Fprintln(f.Out, "\nWhat you may not do, and what to ask for:")
		}
		if err := printers.PrintFields(f.Out, f.Terminal.Width, styles, []printers.Field{{Label: fmt.Sprintf("  %-8s", n.Right), Text: n.Ask}}); err != nil {
			return err
		}
	}
	for _, note := range r.Notes {
		_, _ = fmt.Fprintf(f.ErrOut, "Note: %s.\n", terminal.Escape(strings.ReplaceAll(note, "\n", " ")))
	}
	if len(r.Environments) == 0 && r.Cluster.Error == "" && len(r.Notes) == 0 {
		_, _ = fmt.Fprintln(f.ErrOut, "Note: there are no projects here: choose another --namespace or --context, or all with -A.")
	}
	return nil
}

func clusterField(c cluster, styles terminal.Styles) printers.Field {
	field := printers.Field{Label: "Cluster", Text: c.User}
	if len(c.Groups) > 0 {
		field.Text += ", in " + strings.Join(c.Groups, ", ")
	}
	if c.Context != "" {
		field.Text += ", by context " + c.Context
	}
	if c.Error != "" {
		field.Text, field.Style = c.Error, styles.Bad
	}
	return field
}

func awsField(a account, styles terminal.Styles) printers.Field {
	if a.Error != "" {
		return printers.Field{Label: "AWS", Text: a.Error, Style: styles.Bad}
	}
	return printers.Field{Label: "AWS", Text: fmt.Sprintf("%s, in account %s, region %s", a.ARN, a.AccountID, a.Region)}
}

func (o *options) table(environments []environment, styles terminal.Styles) *printers.Table {
	table := &printers.Table{Columns: []printers.Column{
		{Title: "NAMESPACE", Min: 8, Name: true, Drop: 1}, {Title: "ENVIRONMENT", Min: 12, Name: true, End: true},
		{Title: "PROPOSE"}, {Title: "APPROVE"}, {Title: "ROLLBACK"}, {Title: "READ"},
	}}
	for i := range environments {
		e := &environments[i]
		row := []printers.Cell{printers.Text(e.Namespace), printers.Text(e.name())}
		for _, a := range []answer{e.Propose, e.Approve, e.Rollback, e.Read} {
			row = append(row, a.cell(styles))
		}
		table.Rows = append(table.Rows, row)
	}
	return table
}

func (a answer) cell(styles terminal.Styles) printers.Cell {
	switch a {
	case yes:
		return printers.Cell{Text: string(a), Style: styles.Good}
	case no:
		return printers.Cell{Text: string(a), Style: styles.Dim}
	default:
		return printers.Cell{Text: "?", Style: styles.Warning}
	}
}
