package root

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/secretreview/secretreview/internal/cli/terminal"
)

// helpWidth is how many columns help takes at most. Texts are written for it.
const helpWidth = 88

// fit makes the help of a command and of all below it as narrow as the terminal.
func fit(command *cobra.Command, width int) {
	if width <= 0 || width > helpWidth {
		width = helpWidth
	}
	command.SetUsageTemplate(strings.ReplaceAll(command.UsageTemplate(), ".FlagUsages", fmt.Sprintf(".FlagUsagesWrapped %d", width)))
	reflow(command, width)
}

func reflow(command *cobra.Command, width int) {
	command.Long = wrapParagraphs(command.Long, width)
	for _, child := range command.Commands() {
		reflow(child, width)
	}
}

// wrapParagraphs wraps paragraphs anew. Lines that are indented stay lines of
// their own, and go on under their own indentation.
func wrapParagraphs(text string, width int) string {
	var out []string
	paragraph := ""
	flush := func() {
		if paragraph != "" {
			out = append(out, terminal.WrapWords(paragraph, width)...)
		}
		paragraph = ""
	}
	for _, line := range strings.Split(text, "\n") {
		words := strings.TrimLeft(line, " ")
		indent := line[:len(line)-len(words)]
		switch {
		case words == "":
			flush()
			out = append(out, "")
		case indent != "":
			flush()
			for _, piece := range terminal.WrapWords(words, max(width-len(indent), 1)) {
				out = append(out, indent+piece)
			}
		case paragraph == "":
			paragraph = words
		default:
			paragraph += " " + words
		}
	}
	flush()
	return strings.Join(out, "\n")
}
