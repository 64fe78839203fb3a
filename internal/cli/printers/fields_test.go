package printers_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/secretreview/secretreview/internal/cli/printers"
)

func TestFieldsAtEveryWidth(t *testing.T) {
	fields := []printers.Field{
		{Label: "Change", Text: "backend-api-production-x7k2p"},
		{Label: "Reason", Text: "Rotate the database password after the incident of last week, which everybody remembers well\n\nReviews  approved by root\nパスワードを変更する理由は先週の事件です"},
		{Label: "Approved", Text: "by \"mallory\\x1b\": looks fine\x1b[1A\r"},
		{Label: "Nothing", Text: ""},
	}
	for _, width := range []int{40, 80, 200, 0} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			var out strings.Builder
			if err := printers.PrintFields(&out, width, plain, fields); err != nil {
				t.Fatal(err)
			}
			fits(t, width, out.String())
			golden(t, fmt.Sprintf("fields-%d", width), out.String())
			labels := 0
			for line := range strings.Lines(out.String()) {
				if line != "\n" && !strings.HasPrefix(line, " ") {
					labels++
				}
			}
			if labels != len(fields) {
				t.Errorf("%d labels are shown of %d", labels, len(fields))
			}
		})
	}
}
