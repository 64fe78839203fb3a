package root

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Reference returns docs/cli.md: what help tells of every command, in Markdown.
func Reference(root *cobra.Command) string {
	var out strings.Builder
	out.WriteString("<!-- Made by \"make generate\" from the commands themselves. Do not edit it. -->\n\n# The command line\n\n")
	out.WriteString(prose(root.Long) + "\n\n")
	for _, group := range root.Groups() {
		fmt.Fprintf(&out, "| %s | |\n| --- | --- |\n", strings.TrimSuffix(group.Title, ":"))
		for _, command := range root.Commands() {
			if command.GroupID == group.ID && command.IsAvailableCommand() {
				fmt.Fprintf(&out, "| [`%s`](#%s) | %s |\n", command.CommandPath(), anchor(command), command.Short)
			}
		}
		out.WriteString("\n")
	}
	out.WriteString("## Flags of every command\n\n" + flagsOf(root.PersistentFlags()))
	for _, group := range root.Groups() {
		for _, command := range root.Commands() {
			if command.GroupID == group.ID && command.IsAvailableCommand() {
				describe(&out, command)
			}
		}
	}
	return out.String()
}

// isCobras reports commands that cobra brings along.
func isCobras(command *cobra.Command) bool {
	return command.Name() == "help" || command.Name() == "completion"
}

func describe(out *strings.Builder, command *cobra.Command) {
	fmt.Fprintf(out, "\n## %s\n\n%s\n", command.CommandPath(), prose(command.Long))
	if isCobras(command) {
		return
	}
	fmt.Fprintf(out, "\n```\n%s\n```\n\n%s", command.UseLine(), flagsOf(command.LocalNonPersistentFlags()))
	if command.Example != "" {
		fmt.Fprintf(out, "\n```console\n%s\n```\n", dedent(command.Example))
	}
	for _, part := range command.Commands() {
		if part.IsAvailableCommand() {
			describe(out, part)
		}
	}
}

func anchor(command *cobra.Command) string {
	return strings.ReplaceAll(command.CommandPath(), " ", "-")
}

// prose writes help's paragraphs as Markdown: what is indented is shown as it
// stands, and all else without Markdown's own signs.
func prose(text string) string {
	var out []string
	inside := false
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		indented := strings.HasPrefix(line, "  ")
		if indented != inside {
			out = append(out, map[bool]string{true: "\n```", false: "```\n"}[indented])
			inside = indented
		}
		if !indented {
			line = signs.Replace(line)
		}
		out = append(out, strings.TrimPrefix(line, "  "))
	}
	if inside {
		out = append(out, "```")
	}
	return strings.ReplaceAll(strings.Join(out, "\n"), "\n\n\n", "\n\n")
}

var signs = strings.NewReplacer("<", "&lt;", ">", "&gt;", "*", `\*`, "_", `\_`, "|", `\|`)

func dedent(text string) string {
	return strings.TrimPrefix(strings.ReplaceAll(text, "\n  ", "\n"), "  ")
}

func flagsOf(flags *pflag.FlagSet) string {
	usages := flags.FlagUsagesWrapped(helpWidth)
	if strings.TrimSpace(usages) == "" {
		return ""
	}
	return "```\n" + strings.TrimRight(usages, "\n") + "\n```\n"
}
