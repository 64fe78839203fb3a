// Package exit is the one place that knows how a command ends: the exit codes,
// which error means which of them, and the sentence on stderr.
package exit

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/secretreview/secretreview/internal/cli/terminal"
)

// Code is the exit status of the process. Scripts may rely on the numbers.
type Code int

// Exit codes.
const (
	// OK: done, or there was nothing to do.
	OK Code = 0
	// Failure: none of the others, such as a file that cannot be read.
	Failure Code = 1
	// Usage: the command line or a configuration file is wrong.
	Usage Code = 2
	// Refused: a policy, a safety rule or a person says no: a rejected change, a
	// document that is too large, keys that would go unseen.
	Refused Code = 3
	// Conflict: somebody else's change came first.
	Conflict Code = 4
	// NotFound: no such project, environment, change, secret or version.
	NotFound Code = 5
	// Denied: the cluster or AWS does not let this user, or does not know them.
	Denied Code = 6
	// Unavailable: the cluster, the controller or AWS does not answer, or not in
	// time; the same command may succeed later.
	Unavailable Code = 7
	// NotExecutable and NoCommand: "run" cannot start the program, as a shell says
	// it.
	NotExecutable Code = 126
	NoCommand     Code = 127
	// Cancelled: the person said no, or pressed Ctrl-C.
	Cancelled Code = 130
)

// Help describes the codes, for the root command's help.
const Help = `Exit codes:
  0    done, or nothing to do
  1    failure
  2    the command line or a configuration file is wrong
  3    refused: by a policy, a safety rule or a reviewer
  4    conflict: somebody else's change came first
  5    no such project, environment, change, secret or version
  6    denied, or credentials are missing or expired (cluster or AWS)
  7    the cluster, the controller or AWS is unavailable, or too slow
  126  "run": the program cannot be run; 127: there is none
  130  cancelled`

// Error is an error with the code that it ends the process with. Its text is
// one sentence: what failed, on what, and what to do next.
type Error struct {
	Code Code
	err  error
}

// Errorf makes an Error. The format may use %w.
func Errorf(code Code, format string, args ...any) error {
	return &Error{Code: code, err: fmt.Errorf(format, args...)}
}

func (e *Error) Error() string { return e.err.Error() }

func (e *Error) Unwrap() error { return e.err }

// SilentError is an error of which everything is already said.
type SilentError struct{ Code Code }

func (e *SilentError) Error() string { return fmt.Sprintf("exit with code %d", e.Code) }

// CodeOf returns the code that err ends the process with.
func CodeOf(err error) Code {
	code, _ := classify(err)
	return code
}

// Report writes "program: sentence" to w, unless err is nil or *SilentError, and
// returns the code. Control characters, which a server's message may carry
// from somebody's input, are escaped.
func Report(w io.Writer, program string, err error) Code {
	sentence, code := Sentence(err)
	var silent *SilentError
	if err == nil || errors.As(err, &silent) {
		return code
	}
	_, _ = fmt.Fprintf(&terminal.Writer{Out: w}, "%s: %s\n", program, sentence)
	return code
}

// Sentence returns what a person is told of err, in one line that is not escaped
// yet, and its code. A nil error is an empty sentence.
func Sentence(err error) (string, Code) {
	code, advice := classify(err)
	if err == nil {
		return "", code
	}
	sentence := strings.ReplaceAll(err.Error(), "\n", " ")
	if code == Cancelled && !as[*Error](err) {
		sentence = "cancelled"
	}
	if advice != "" {
		sentence += "; " + advice
	}
	return sentence, code
}
