package live

import (
	"io"
	"strings"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/terminal"
	"github.com/secretreview/secretreview/internal/cli/wording"
	"github.com/secretreview/secretreview/internal/document"
)

// CheckShown fails with an exit.Error of Refused that names the keys which, or
// whose values, a terminal would not just show: a value must not be able to
// repaint the screen. flag is the one that names a file instead.
func CheckShown(values document.Document, flag string) error {
	var keys []string
	for _, key := range values.Keys() {
		if !shows(key) || !shows(values[key].Reveal()) {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	return exit.Errorf(exit.Refused, "a terminal cannot show the values of %s as they are: name a file with %s", wording.Keys(keys), flag)
}

func shows(text string) bool {
	var shown strings.Builder
	_, err := io.WriteString(&terminal.Writer{Out: &shown}, text)
	return err == nil && shown.String() == text
}
