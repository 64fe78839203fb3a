package format

import (
	"encoding/hex"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/secretreview/secretreview/internal/cli/printers"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/dotenv"
)

// maxDockerLine is how long a line may be, in bytes, with its newline: docker
// reads by a bufio.Scanner with its default buffer (docker/cli, pkg/kvfile).
const maxDockerLine = 64 << 10

// shellName is POSIX's name of a variable (XBD 3.216, 8.1).
var shellName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

var (
	dotenvKeys = limit{"a key must be a letter or '_', then letters, digits, '_', '.' or '-'",
		func(key, _ string) bool { return document.ValidKey(key) != nil }}
	shellKeys = limit{"a shell's variable must be a letter or '_', then letters, digits or '_'",
		func(key, _ string) bool { return !shellName.MatchString(key) }}
	noNUL = limit{"no environment can hold a NUL byte",
		func(_, value string) bool { return strings.Contains(value, "\x00") }}
	oneLine = limit{"a value must be one line",
		func(_, value string) bool { return strings.Contains(value, "\n") || strings.HasSuffix(value, "\r") }}
	// Releases of docker differ (docker/cli#3630, #6805).
	noOuterQuotes = limit{"some releases of docker take quotes around a value off",
		func(_, value string) bool { return outerQuotes(value) }}
	shortLine = limit{"docker reads lines of less than 64 KiB",
		func(key, value string) bool { return len(key)+1+len(value) >= maxDockerLine }}
	// "Default environment variables" and "Setting an environment variable" in
	// GitHub's documentation.
	gitHubKeys = limit{"GitHub does not let a job set GITHUB_*, RUNNER_* and NODE_OPTIONS",
		func(key, _ string) bool {
			key = strings.ToUpper(key)
			return strings.HasPrefix(key, "GITHUB_") || strings.HasPrefix(key, "RUNNER_") || key == "NODE_OPTIONS"
		}}
	// A runner on Windows takes it for a part of the newline that follows.
	noFinalCR = limit{"a value must not end in a carriage return",
		func(_, value string) bool { return strings.HasSuffix(value, "\r") }}
)

func outerQuotes(value string) bool {
	return len(value) >= 2 && strings.ContainsAny(value[:1], `'"`) && value[0] == value[len(value)-1]
}

// each writes every key and value by a line or more, sorted.
func each(values document.Document, line func(key, value string) string) string {
	var text strings.Builder
	for _, key := range values.Keys() {
		text.WriteString(line(key, values[key].Reveal()))
	}
	return text.String()
}

func writeDotenv(values document.Document, _ io.Reader) (string, error) {
	var text strings.Builder
	err := dotenv.Format(&text, values, dotenv.Header{})
	return text.String(), err
}

func writeJSON(values document.Document, _ io.Reader) (string, error) {
	plain := map[string]string{}
	for key, value := range values {
		plain[key] = value.Reveal()
	}
	var text strings.Builder
	err := printers.PrintJSON(&text, plain)
	return text.String(), err
}

// writeYAML quotes everything: what is a plain string to one reader is a
// number, a time or a truth to another.
func writeYAML(values document.Document, _ io.Reader) (string, error) {
	quoted := func(text string) *yaml.Node {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.DoubleQuotedStyle, Value: text}
	}
	mapping := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for _, key := range values.Keys() {
		mapping.Content = append(mapping.Content, quoted(key), quoted(values[key].Reveal()))
	}
	text, err := yaml.Marshal(mapping)
	if err != nil {
		return "", fmt.Errorf("write as YAML: %w", err)
	}
	return string(text), nil
}

func writeShell(values document.Document, _ io.Reader) (string, error) {
	return each(values, func(key, value string) string {
		return "export " + key + "='" + strings.ReplaceAll(value, "'", `'\''`) + "'\n"
	}), nil
}

func writeDocker(values document.Document, _ io.Reader) (string, error) {
	return each(values, func(key, value string) string { return key + "=" + value + "\n" }), nil
}

// writeGitHub writes what belongs into the file that GITHUB_ENV names. A value
// could end itself early and set other variables if it knew the delimiter, so
// that is drawn at random, as GitHub's documentation asks.
func writeGitHub(values document.Document, random io.Reader) (string, error) {
	drawn := make([]byte, 16)
	if _, err := io.ReadFull(random, drawn); err != nil {
		return "", fmt.Errorf("draw a delimiter: %w", err)
	}
	delimiter := "sr_" + hex.EncodeToString(drawn)
	return each(values, func(key, value string) string {
		return key + "<<" + delimiter + "\n" + value + "\n" + delimiter + "\n"
	}), nil
}

// commandData escapes what follows a workflow command, as @actions/core does.
var commandData = strings.NewReplacer("%", "%25")

// Masks returns the commands by which a runner of GitHub Actions hides values in
// its log, for the standard output of a step: one for each line of a value,
// since the log is masked line by line.
func Masks(values document.Document) string {
	return each(values, func(_, value string) string {
		var text strings.Builder
		for _, line := range strings.FieldsFunc(value, func(r rune) bool { return r == '\n' || r == '\r' }) {
			// The runner warns of an empty mask, and would hide every space.
			if strings.TrimSpace(line) != "" {
				text.WriteString("::add-mask::" + commandData.Replace(line) + "\n")
			}
		}
		return text.String()
	})
}
