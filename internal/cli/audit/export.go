package audit

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/audit"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/selector"
	"github.com/secretreview/secretreview/internal/cli/terminal"
)

const (
	exportLong = `Write the records of changes that have ended as JSON Lines: one object a line, the oldest
first. Each has the record and its digest: the SHA-256 of the record as RFC 8785
writes it. There is never a value in it.

A record that has been exported can still be proven when it is trimmed from the
cluster: "audit verify --export FILE" takes it from the file.`

	exportExamples = `  # The current project and environment
  {{P}} audit export > history.jsonl

  # What ended in the last day in the whole namespace, for a SIEM
  {{P}} audit export --all --since 24h`
)

type exportOptions struct {
	factory *factory.Factory
	scope   selector.Scope
	since   time.Duration
}

func newExport(f *factory.Factory) *cobra.Command {
	o := &exportOptions{factory: f}
	command := &cobra.Command{
		Use: "export", Short: "Write the records as JSON Lines", Long: exportLong,
		Example: strings.ReplaceAll(exportExamples, "{{P}}", f.Program), Args: factory.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	o.scope.AddFlags(command.Flags())
	command.Flags().DurationVar(&o.since, "since", 0, "only what ended in so much time until now, such as 24h; 0 is all")
	return command
}

func (o *exportOptions) run(ctx context.Context) error {
	f := o.factory
	if o.since < 0 {
		return exit.Errorf(exit.Usage, "--since is %s: give 0 or more", o.since)
	}
	listing, err := o.scope.Resolve(ctx, f, selector.Finished)
	if err != nil {
		return err
	}
	kube, err := f.Kube()
	if err != nil {
		return err
	}
	environments, err := read(ctx, kube, listing.Filter)
	if err != nil {
		return err
	}
	var changes []*v1alpha1.SecretChange
	for _, e := range environments {
		for i := range e.changes {
			if c := &e.changes[i]; o.since == 0 || f.Clock.Now().Sub(ended(c)) <= o.since {
				changes = append(changes, c)
			}
		}
	}
	slices.SortFunc(changes, func(a, b *v1alpha1.SecretChange) int {
		return cmp.Or(ended(a).Compare(ended(b)), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	out := bufio.NewWriter(&terminal.Writer{Out: f.Out})
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for _, c := range changes {
		if err := encoder.Encode(lineOf(c)); err != nil {
			return fmt.Errorf("write the records: %w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write the records: %w", err)
	}
	return nil
}

// ended is when a change ended; one that does not say so ended when it was
// created.
func ended(c *v1alpha1.SecretChange) time.Time {
	if c.Status.FinishedAt == nil {
		return c.CreationTimestamp.Time
	}
	return c.Status.FinishedAt.Time
}

// line is one line of an export.
type line struct {
	// Digest is empty for a change that ended before records were chained.
	Digest string       `json:"digest,omitempty"`
	Record audit.Record `json:"record"`
}

func lineOf(c *v1alpha1.SecretChange) line {
	l := line{Record: audit.RecordOf(c)}
	if c.Status.Audit != nil {
		l.Digest = c.Status.Audit.Digest
	} else {
		l.Record.UID, l.Record.CreatedAt = c.UID, c.CreationTimestamp
	}
	return l
}

// change makes a change of a line again.
func (l line) change() v1alpha1.SecretChange {
	r := l.Record
	c := v1alpha1.SecretChange{
		ObjectMeta: metav1.ObjectMeta{Namespace: r.Namespace, Name: r.Name, UID: r.UID, CreationTimestamp: r.CreatedAt},
		Spec:       r.Spec, Status: r.Status,
	}
	if l.Digest != "" {
		c.Status.Audit = &v1alpha1.AuditSeal{
			ChainLink: v1alpha1.ChainLink{Sequence: r.Sequence, Digest: l.Digest}, Previous: r.Previous, UID: r.UID, CreatedAt: r.CreatedAt,
		}
	}
	return c
}

// maxExport is how large an export may be that is read again, in bytes.
const maxExport = 1 << 30

// readExport reads lines that an export wrote.
func readExport(ctx context.Context, f *factory.Factory, name string) ([]v1alpha1.SecretChange, error) {
	content, err := f.ReadFile(ctx, name, maxExport)
	if err != nil {
		return nil, err
	}
	var out []v1alpha1.SecretChange
	decoder := json.NewDecoder(strings.NewReader(string(content)))
	for n := 1; ; n++ {
		var l line
		switch err := decoder.Decode(&l); {
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil || l.Record.Name == "":
			return nil, exit.Errorf(exit.Failure, "record %d of %s is none that \"audit export\" wrote: look at the file", n, fmt.Sprintf("%q", name))
		}
		out = append(out, l.change())
	}
}
