package propose

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/wording"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/policy"
)

// tell returns where sentences go: to a script that asked for an output, only
// that output goes to Out.
func (o *Options) tell() io.Writer {
	if o.Output != "" {
		return o.Factory.ErrOut
	}
	return o.Factory.Out
}

func (o *Options) tellNotes(r result) {
	for _, note := range []struct {
		keys []string
		text string
	}{
		{r.Newer, "changed by others since the file was pulled, and kept as they are"},
		{r.Kept, "cannot stand in a file, and kept as they are"},
	} {
		if len(note.keys) > 0 {
			_, _ = fmt.Fprintf(o.Factory.ErrOut, "Note: %s: %s.\n", note.text, wording.Keys(note.keys))
		}
	}
}

func (o *Options) tellNoChanges(t *factory.Target) {
	_, _ = fmt.Fprintf(o.tell(), "No changes: %s/%s is already like this.\n", t.Project.Name, t.Environment.Name)
}

var symbols = map[document.ChangeType]string{document.Added: "+", document.Modified: "~", document.Removed: "-"}

// tellDiff lists the keys, and never a value.
func (o *Options) tellDiff(p *proposal) {
	for _, change := range p.patch.Diff() {
		_, _ = fmt.Fprintf(o.tell(), "  %s %s\n", symbols[change.Type], wording.Key(change.Key))
	}
}

func summary(patch document.Patch) string {
	c := document.Count(patch.Diff())
	var parts []string
	for _, part := range []struct {
		n    int
		word string
	}{{c.Added, "added"}, {c.Modified, "modified"}, {c.Removed, "removed"}} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.word))
		}
	}
	return strings.Join(parts, ", ")
}

func (o *Options) tellDryRun(p *proposal) error {
	_, err := fmt.Fprintf(o.tell(), "Would propose for %s/%s in namespace %s: %s\n",
		p.target.Project.Name, p.target.Environment.Name, p.target.Namespace, summary(p.patch))
	o.tellDiff(p)
	o.warn(p.target)
	return err
}

func (o *Options) tellProposed(p *proposal) error {
	f := o.Factory
	o.warn(p.target)
	if o.Output == outputName {
		_, err := fmt.Fprintf(f.Out, "secretchange.%s/%s\n", v1alpha1.GroupName, p.change)
		return err
	}
	_, err := fmt.Fprintf(f.Out, "Proposed %s\n  for %s/%s in namespace %s: %s\n",
		p.change, p.target.Project.Name, p.target.Environment.Name, p.target.Namespace, summary(p.patch))
	o.tellDiff(p)
	effective, _ := policy.For(p.target.Project, p.target.Environment.Name)
	if effective.RequiredApprovals == 0 {
		_, _ = fmt.Fprintf(f.Out, "It needs no approval. To see how it goes:\n  %s status %s -n %s\n", f.Program, p.change, p.target.Namespace)
		return err
	}
	_, _ = fmt.Fprintf(f.Out, "It needs %s by %s. Next, somebody else runs:\n  %s review %s -n %s\n",
		wording.Count(effective.RequiredApprovals, "approval"), naming.KeepUntil(f.Clock.Now().Add(effective.ChangeTTL)),
		f.Program, p.change, p.target.Namespace)
	return err
}

func (o *Options) warn(t *factory.Target) {
	for _, warning := range t.Warnings() {
		_, _ = fmt.Fprintf(o.Factory.ErrOut, "Warning: %s.\n", warning)
	}
}

// printManifest prints the change for a Git repository.
func (o *Options) printManifest(p *proposal, arn string) error {
	manifest, err := gitManifest(p.object(arn))
	if err != nil {
		return err
	}
	var text []byte
	if o.Output == outputJSON {
		text, err = json.MarshalIndent(manifest, "", "  ")
		text = append(text, '\n')
	} else {
		text, err = yaml.Marshal(manifest)
	}
	if err != nil {
		return fmt.Errorf("write the manifest: %w", err)
	}
	if _, err := o.Factory.Out.Write(text); err != nil {
		return fmt.Errorf("write the manifest: %w", err)
	}
	o.warn(p.target)
	_, _ = fmt.Fprintf(o.Factory.ErrOut, "Staged %s for %s/%s. Commit the manifest and have it applied before %s, when the values are deleted.\n",
		p.change, p.target.Project.Name, p.target.Environment.Name, naming.KeepUntil(p.keepUntil))
	return nil
}
