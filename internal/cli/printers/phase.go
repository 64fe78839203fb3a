package printers

import (
	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/terminal"
)

// unseen stands for the phase of a change that the controller has not checked.
const unseen = "New"

// Phase shows a phase.
func Phase(phase v1alpha1.Phase, styles terminal.Styles) Cell {
	switch phase {
	case "":
		return Cell{unseen, styles.Dim}
	case v1alpha1.PhaseApplied:
		return Cell{string(phase), styles.Good}
	case v1alpha1.PhasePending, v1alpha1.PhaseApproved:
		return Cell{string(phase), styles.Warning}
	default:
		return Cell{string(phase), styles.Bad}
	}
}
