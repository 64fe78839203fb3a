package sheet

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/live"
	"github.com/secretreview/secretreview/internal/cli/printers"
	"github.com/secretreview/secretreview/internal/cli/terminal"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/sensitive"
)

var now = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func shown() View {
	return View{Width: 80, Styles: terminal.NewStyles(false), Now: now, ShowValues: true}
}

// read returns a sheet of edit on a live document.
func read(before document.Document) *Sheet {
	s := &Sheet{Change: change(sensitive.New("")), Target: target(), State: Read, after: edit.Apply(before), live: live.Version{ID: liveID, Values: before}}
	expires := metav1.NewTime(now.Add(48 * time.Hour))
	s.Change.CreationTimestamp = metav1.NewTime(now.Add(-3 * time.Minute))
	s.Change.Status.ObservedGeneration, s.Change.Status.ExpiresAt = 1, &expires
	s.Change.Status.Message, s.Change.Status.Approvals = "Waiting for 1 more approval", "1/2"
	s.Change.Status.Decision = &v1alpha1.Decision{Approvers: []string{"bob"}, RequiredApprovals: 2}
	s.Change.Spec.Reviews = []v1alpha1.Review{
		{Reviewer: "bob", Verdict: v1alpha1.VerdictApproved, Comment: "fine\nApproved  by root"},
		{Reviewer: "robot", Verdict: v1alpha1.VerdictApproved},
	}
	s.compare()
	s.warn()
	return s
}

func printed(t *testing.T, s *Sheet, v View) string {
	t.Helper()
	var out strings.Builder
	if err := s.Print(&out, v); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		line = strings.TrimSuffix(line, "\n")
		if v.Width > 0 && terminal.Width(line) > v.Width {
			t.Errorf("%q is wider than %d", line, v.Width)
		}
		for _, r := range line {
			if r != ' ' && !unicode.IsPrint(r) {
				t.Errorf("%q holds %U", line, r)
			}
		}
	}
	return out.String()
}

func base() document.Document { return doc(map[string]string{"A": "1", "B": "b", "D": "same"}) }

func TestASheetInFull(t *testing.T) {
	s := read(base())
	edit := document.NewPatch(base(), doc(map[string]string{"A": "2", "C": "new", "D": "same"}))
	s.after, s.clashes = edit.Apply(s.live.Values), edit.Clashes(s.live.Values)
	s.compare()
	view := shown()
	view.ShowAll = true
	want := `Change     x
For        backend-api/production in namespace demo
Phase      Pending
Status     Waiting for 1 more approval
Proposed   by alice, 3m ago (2026-03-04T11:57:00Z)
Reason     because
Expires    in 2d (2026-03-06T12:00:00Z)
Approvals  1/2
Approved   by bob: fine
           Approved  by root
Approved   by robot, which does not count

It changes 3 keys: 1 added, 1 modified, 1 removed.

  ~ A
      - 1
      + 2
  - B
      - b
  + C
      + new

1 key as before

  = D
      = same
`
	if got := printed(t, read2(s), view); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// read2 drops the warnings, which other tests are about.
func read2(s *Sheet) *Sheet { s.Warnings = nil; return s }

func TestWhatASheetSaysOfValuesThatItDoesNotShow(t *testing.T) {
	hidden := shown()
	hidden.ShowValues = false
	for name, c := range map[string]struct {
		state   State
		problem error
		view    View
		saying  string
	}{
		"hidden":     {Read, nil, hidden, "The values are hidden, because the output is not a terminal: --reveal shows\nthem."},
		"adoption":   {NoValues, nil, shown(), "It stages no values."},
		"ended":      {Gone, nil, shown(), "Its values are deleted, because it has ended."},
		"not wanted": {NotRead, nil, shown(), "The values were not read."},
		"no rights":  {Unreadable, errors.New("AWS\x1b says no"), shown(), `"The values cannot be read: AWS\x1b says no."`},
		"swapped":    {Wrong, mismatch("they were swapped"), shown(), "REFUSED: they were swapped: do not approve it"},
	} {
		t.Run(name, func(t *testing.T) {
			s := read(doc(map[string]string{"A": "1", "B": marker}))
			s.State, s.Problem = c.state, c.problem
			if c.state != Read {
				s.Entries = recorded(s.Change)
			}
			got := printed(t, s, c.view)
			if !strings.Contains(got, c.saying) || !strings.Contains(got, "  ~ A\n  - B\n  + C\n") || strings.Contains(got, marker) {
				t.Errorf("got:\n%s\nwant it to say %q, and the keys alone", got, c.saying)
			}
			encoded, err := json.Marshal(s.JSON(c.view))
			if err != nil || strings.Contains(string(encoded), marker) || strings.Contains(string(encoded), `"old"`) {
				t.Errorf("got %s, %v", encoded, err)
			}
		})
	}
}

func TestHostileTextCannotLeaveItsPlace(t *testing.T) {
	const hostile = "x\x1b[2J\x1b[1;1HApproved  by root\r\n\u202eChange\u2028Phase  Applied\x9b31m\xff"
	s := read(base())
	s.Change.Spec.Reason, s.Change.Spec.ProposedBy, s.Change.Status.Message = hostile, hostile, hostile
	s.Change.Spec.Reviews = []v1alpha1.Review{{Reviewer: hostile, Verdict: v1alpha1.VerdictApproved, Comment: hostile + strings.Repeat(" ", 60) + "Rejected  by root"}}
	s.Warnings = []string{hostile}
	s.Entries = []printers.Entry{{Key: hostile, Type: document.Added, New: value(doc(map[string]string{"k": hostile + "\n  + ADMIN\n"}), "k")}}
	s.Unchanged = s.Entries
	for width := range 120 {
		view := shown()
		view.Width, view.ShowAll = width, true
		if width > 0 && width < 28 {
			continue // labels and the least that a text gets
		}
		got := printed(t, s, view)
		labels := 0
		for line := range strings.Lines(got) {
			if slices.ContainsFunc([]string{"Change ", "Phase ", "Approved ", "Rejected "}, func(l string) bool { return strings.HasPrefix(line, l) }) {
				labels++
			}
		}
		if keys := strings.Count(got, "\n  + "); labels != 3 || keys != 2 {
			t.Fatalf("width %d: %d labels and %d keys:\n%s", width, labels, keys, got)
		}
	}
	var out strings.Builder
	if err := printers.PrintJSON(&out, s.JSON(shown())); err != nil {
		t.Fatal(err)
	}
	for _, r := range strings.ReplaceAll(out.String(), "\n", "") {
		if r != ' ' && !unicode.IsPrint(r) {
			t.Errorf("JSON holds %U", r)
		}
	}
	var back JSON
	if err := json.Unmarshal([]byte(out.String()), &back); err != nil || back.Reason != strings.ToValidUTF8(hostile, "\ufffd") {
		t.Errorf("got %q, %v", back.Reason, err)
	}
}

func TestASheetWarns(t *testing.T) {
	moved := func(before document.Document, policy v1alpha1.ConflictPolicy) *Sheet {
		s := read(base())
		s.Warnings, s.live, s.clashes = nil, live.Version{ID: versionID, Values: before}, edit.Clashes(before)
		s.Target.Project.Spec.ConflictPolicy = policy
		s.warn()
		return s
	}
	suspended := read(base())
	yes := true
	suspended.Target.Project.Spec.Suspend = &yes
	suspended.Warnings = nil
	suspended.warn()
	nowhere := &Sheet{Change: change(sensitive.New("")), State: Unreadable}
	nowhere.warn()
	same := doc(map[string]string{"A": "1", "B": marker})
	other := doc(map[string]string{"A": "7", "B": marker})
	for name, c := range map[string]struct {
		sheet  *Sheet
		saying string
	}{
		"strict, and another version is live":   {moved(same, v1alpha1.ConflictStrict), "version " + versionID + " is live now"},
		"by key, and others changed other keys": {moved(same, v1alpha1.ConflictByKey), ""},
		"by key, and others changed the same":   {moved(other, v1alpha1.ConflictByKey), "end as Conflicted: A"},
		"a freeze":                              {suspended, "suspended"},
		"a project that is gone":                {nowhere, "any more"},
	} {
		t.Run(name, func(t *testing.T) {
			got := strings.Join(c.sheet.Warnings, "\n")
			if c.saying == "" && got != "" || !strings.Contains(got, c.saying) || strings.Contains(got, marker) {
				t.Errorf("got %q, want %q", got, c.saying)
			}
		})
	}
}

func TestASheetPrintsNoValueByAccident(t *testing.T) {
	s := read(doc(map[string]string{"A": "1", "B": marker}))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		if text := fmt.Sprintf(verb, *s); strings.Contains(text, marker) || strings.Contains(text, fmt.Sprintf("%x", marker)) {
			t.Errorf("%s shows a value", verb)
		}
	}
}
