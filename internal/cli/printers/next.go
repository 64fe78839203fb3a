package printers

import (
	"fmt"
	"strings"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/factory"
)

// nameMark stands for a change's name in the actions of Next.
const nameMark = "NAME"

// Next shows below a listing what can be done with one of its changes, such as
// "review NAME", each a command to copy. It shows it to people only.
func Next(f *factory.Factory, change *v1alpha1.SecretChange, anywhere bool, actions ...string) {
	if !f.Terminal.StdoutTTY || !f.Terminal.StderrTTY || change == nil {
		return
	}
	_, _ = fmt.Fprintln(f.ErrOut, "\nNext:")
	for _, action := range actions {
		line := f.Program + " " + strings.ReplaceAll(action, nameMark, change.Name)
		if anywhere {
			line += " -n " + change.Namespace
		}
		_, _ = fmt.Fprintln(f.ErrOut, "  "+line)
	}
}

// Newest returns the change in a phase that was created last, nil if there is
// none.
func Newest(changes []v1alpha1.SecretChange, phase v1alpha1.Phase) *v1alpha1.SecretChange {
	var newest *v1alpha1.SecretChange
	for i := range changes {
		c := &changes[i]
		if c.Status.Phase == phase && (newest == nil || c.CreationTimestamp.After(newest.CreationTimestamp.Time)) {
			newest = c
		}
	}
	return newest
}
