package dotenv

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/secretreview/secretreview/internal/naming"
)

// headerMark begins the comment that is the header.
const headerMark = "# secretreview:"

var (
	headerLine = regexp.MustCompile(`^#[ \t]*secretreview:`)
	// AWS says of a VersionId only that it has 32 to 64 characters
	// (GetSecretValue, VersionId). Space and control characters would not
	// survive on this line.
	versionID = regexp.MustCompile(`^[!-~]{32,64}$`)
)

// Header names the version of an environment that a file is a copy of, so that
// an edit of it can be proposed against what its author saw.
type Header struct{ Project, Environment, VersionID string }

// IsZero reports whether there is no header.
func (h Header) IsZero() bool { return h == Header{} }

// String returns the header as it stands in a file, without a newline.
func (h Header) String() string {
	return fmt.Sprintf("%s project=%s environment=%s version=%s", headerMark, h.Project, h.Environment, h.VersionID)
}

func (h Header) valid() bool {
	return naming.ValidProject(h.Project) && naming.ValidEnvironment(h.Environment) && versionID.MatchString(h.VersionID)
}

// IsHeader reports whether a file's first line means to be a header, well-formed
// or not.
func IsHeader(line string) bool {
	_, found, _ := parseHeader(strings.TrimPrefix(line, byteOrderMark))
	return found
}

// parseHeader reads a comment. found says that it means to be a header, ok that
// it is a well-formed one.
func parseHeader(comment string) (h Header, found, ok bool) {
	mark := headerLine.FindString(comment)
	if mark == "" {
		return Header{}, false, false
	}
	fields := map[string]*string{"project": &h.Project, "environment": &h.Environment, "version": &h.VersionID}
	for _, field := range strings.Fields(comment[len(mark):]) {
		name, value, _ := strings.Cut(field, "=")
		target, known := fields[name]
		if !known {
			return Header{}, true, false
		}
		*target = value
		delete(fields, name)
	}
	if !h.valid() {
		return Header{}, true, false
	}
	return h, true, true
}
