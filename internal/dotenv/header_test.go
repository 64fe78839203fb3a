package dotenv_test

import (
	"strings"
	"testing"

	"github.com/secretreview/secretreview/internal/dotenv"
)

const headerText = "# secretreview: project=backend-api environment=production version=" + versionID

func TestHeaderIsReadBack(t *testing.T) {
	for name, text := range map[string]string{
		"as written":              headerText + "\nA=1\n",
		"with CRLF":               headerText + "\r\nA=1\r\n",
		"after a byte order mark": "\ufeff" + headerText + "\n",
		"below other comments":    "#!/bin/sh\n# mine\n\n" + headerText + "\nA=1",
		"below a key":             "A=1\n" + headerText,
		"retyped by hand":         "  #secretreview:\tversion=" + versionID + "  project=backend-api environment=production \n",
	} {
		t.Run(name, func(t *testing.T) {
			if got := parse(t, text).Header; got != header {
				t.Fatalf("got %+v, want %+v", got, header)
			}
		})
	}
}

func TestOtherCommentsAreNoHeader(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":                     "",
		"comment":                     "# secretreview is fine",
		"behind a value":              "A=1 " + headerText,
		"in a value of several lines": "A='\n" + headerText + "\n'",
	} {
		t.Run(name, func(t *testing.T) {
			if got := parse(t, text).Header; !got.IsZero() {
				t.Fatalf("got %+v", got)
			}
		})
	}
}

func TestMalformedHeaderIsAnErrorOfItsOwn(t *testing.T) {
	edit := func(old, replacement string) string { return strings.Replace(headerText, old, replacement, 1) }
	for name, text := range map[string]string{
		"empty":                 "# secretreview:",
		"no version":            edit(" version="+versionID, ""),
		"empty version":         edit(versionID, ""),
		"version too short":     edit(versionID, versionID[:31]),
		"version too long":      edit(versionID, strings.Repeat("v", 65)),
		"no project":            edit("project=backend-api ", ""),
		"project with a slash":  edit("backend-api", "backend/api"),
		"reserved project":      edit("backend-api", "pending"),
		"reserved environment":  edit("production", "status"),
		"unknown field":         headerText + " more=" + canary,
		"field twice":           headerText + " project=backend-api",
		"a word without equals": headerText + " " + canary,
		"two headers":           headerText + "\n" + headerText,
	} {
		t.Run(name, func(t *testing.T) {
			line := 1 + strings.Count(text, "\n")
			_, err := dotenv.Parse(strings.NewReader(text + "\nA=1\n"))
			requireError(t, err, dotenv.Error{Kind: dotenv.KindHeader, Line: line})
		})
	}
}

func TestFormatRefusesAHeaderThatWouldNotBeReadBack(t *testing.T) {
	for name, h := range map[string]dotenv.Header{
		"line break in the version": {Project: "p", Environment: "e", VersionID: versionID + "\nA=1"},
		"no version":                {Project: "p", Environment: "e"},
		"no project":                {Environment: "e", VersionID: versionID},
		"environment with a space":  {Project: "p", Environment: "e f", VersionID: versionID},
	} {
		t.Run(name, func(t *testing.T) {
			var text strings.Builder
			requireError(t, dotenv.Format(&text, doc("A", "1"), h), dotenv.Error{Kind: dotenv.KindHeader})
			if text.Len() != 0 {
				t.Fatal("something is written")
			}
		})
	}
}
