package setup

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/terminal"
)

// clearMark is what a person types to have nothing in the place of something.
const clearMark = "-"

// Text asks for a text. Enter keeps what it is now, clearMark makes it empty.
func Text(ctx context.Context, f *factory.Factory, label, now string) (string, error) {
	question := label + ":"
	if now != "" {
		question = fmt.Sprintf("%s [%s]:", label, terminal.Escape(now))
	}
	answer, err := f.Prompter.Line(ctx, question)
	switch {
	case err != nil:
		return "", err
	case answer == clearMark:
		return "", nil
	default:
		return cmp.Or(answer, now), nil
	}
}

// Choose asks for one of several, by its number or its name, until it is one of
// them. Enter chooses preferred, if that is one of them.
func Choose(ctx context.Context, f *factory.Factory, label string, options []string, preferred string) (string, error) {
	_, _ = fmt.Fprintf(f.ErrOut, "%s:\n", label)
	question := "Number or name:"
	for i, option := range options {
		_, _ = fmt.Fprintf(f.ErrOut, "  %d  %s\n", i+1, terminal.Escape(option))
		if option == preferred {
			question = fmt.Sprintf("Number or name [%s]:", terminal.Escape(preferred))
		}
	}
	if !slices.Contains(options, preferred) {
		preferred = ""
	}
	for {
		answer, err := f.Prompter.Line(ctx, question)
		if err != nil {
			return "", err
		}
		chosen, ok := choice(options, cmp.Or(answer, preferred))
		if ok {
			return chosen, nil
		}
		if answer == "" {
			return "", exit.Errorf(exit.Usage, "nothing was chosen: name one of them, or give it by its flag")
		}
		_, _ = fmt.Fprintf(f.ErrOut, "%q is none of them.\n", answer)
	}
}

// choice finds what a person meant. A name goes before a number.
func choice(options []string, answer string) (string, bool) {
	if slices.Contains(options, answer) {
		return answer, true
	}
	number, err := strconv.Atoi(answer)
	if err != nil || number < 1 || number > len(options) {
		return "", false
	}
	return options[number-1], true
}
