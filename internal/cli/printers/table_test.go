package printers_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/printers"
	"github.com/secretreview/secretreview/internal/cli/terminal"
)

func change(name, project, environment, by, reason string, status v1alpha1.SecretChangeStatus) v1alpha1.SecretChange {
	return v1alpha1.SecretChange{
		ObjectMeta: metav1.ObjectMeta{Namespace: "demo", Name: name, CreationTimestamp: metav1.NewTime(now.Add(-3 * time.Minute))},
		Spec:       v1alpha1.SecretChangeSpec{Project: project, Environment: environment, ProposedBy: by, Reason: reason},
		Status:     status,
	}
}

var (
	expires = metav1.NewTime(now.Add(167 * time.Hour))
	ended   = metav1.NewMicroTime(now.Add(-26 * time.Hour))
)

var unfinished = []v1alpha1.SecretChange{
	change("backend-api-production-x7k2p", "backend-api", "production", "alice", "Rotate the database password after the incident of last week", v1alpha1.SecretChangeStatus{
		Phase: v1alpha1.PhasePending, Approvals: "1/2", Summary: "+STRIPE_KEY ~DATABASE_URL -OLD_FLAG", ExpiresAt: &expires,
		Message: "Waiting for 1 more approval",
	}),
	change("backend-api-dev-a1b2c", "backend-api", "dev", "arn:aws:sts::123456789012:assumed-role/developers/alice@example.com", "パスワードを変更する", v1alpha1.SecretChangeStatus{
		Phase: v1alpha1.PhaseApproved, Approvals: "1/1", Summary: "~A", ExpiresAt: &expires, Message: "Being made live",
	}),
	change("evil", "backend-api", "dev", "mallory\x1b[2J", "ok\r\x1b[1A\x1b[2Kbackend-api approved\u202e", v1alpha1.SecretChangeStatus{}),
}

var finished = []v1alpha1.SecretChange{
	change("backend-api-production-q9w8e", "backend-api", "production", "alice", "Add the Stripe key", v1alpha1.SecretChangeStatus{
		Phase: v1alpha1.PhaseApplied, Approvals: "2/2", Summary: "+STRIPE_KEY", FinishedAt: &ended,
		AppliedVersionID: "0b4f8a52-1c35-4a56-9d3a-3f6a1e2b7c90", Message: "Live as version 0b4f8a52-1c35-4a56-9d3a-3f6a1e2b7c90",
		Decision: &v1alpha1.Decision{Approvers: []string{"bob", "carol"}, RequiredApprovals: 2},
	}),
	change("backend-api-production-zz000", "backend-api", "production", "alice", "Try something\nSecond line", v1alpha1.SecretChangeStatus{
		Phase: v1alpha1.PhaseRejected, Summary: "-A", FinishedAt: &ended, Message: `Rejected by "bob"`,
	}),
}

func TestChangesFitEveryWidth(t *testing.T) {
	lists := map[string]struct {
		layout  printers.Changes
		changes []v1alpha1.SecretChange
	}{
		"unfinished":      {printers.Changes{Environments: true}, unfinished},
		"unfinished-wide": {printers.Changes{Environments: true, Namespaces: true, Wide: true}, unfinished},
		"finished":        {printers.Changes{Finished: true}, finished},
		"finished-wide":   {printers.Changes{Finished: true, Wide: true}, finished},
	}
	for name, list := range lists {
		for _, width := range []int{40, 80, 200, 0} {
			if list.layout.Wide && width != 0 {
				continue // nobody asks for it
			}
			t.Run(fmt.Sprintf("%s-%d", name, width), func(t *testing.T) {
				layout := list.layout
				layout.Now, layout.Styles = now, plain
				var out strings.Builder
				if err := layout.Table(list.changes).Print(&out, width, plain); err != nil {
					t.Fatal(err)
				}
				fits(t, width, out.String())
				if strings.Contains(out.String(), " \n") {
					t.Errorf("a line ends with a space in:\n%s", out.String())
				}
				golden(t, fmt.Sprintf("%s-%d", name, width), out.String())
			})
		}
	}
}

func TestATableFitsWhateverTheWidth(t *testing.T) {
	layout := printers.Changes{Environments: true, Namespaces: true, Now: now, Styles: plain}
	for width := 22; width < 250; width++ {
		var out strings.Builder
		if err := layout.Table(unfinished).Print(&out, width, plain); err != nil {
			t.Fatal(err)
		}
		fits(t, width, out.String())
	}
}

func TestColourDoesNotMoveColumns(t *testing.T) {
	styles := terminal.NewStyles(true)
	var colored, bare strings.Builder
	for out, s := range map[*strings.Builder]terminal.Styles{&colored: styles, &bare: plain} {
		if err := (printers.Changes{Now: now, Styles: s}).Table(finished).Print(out, 80, s); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(colored.String(), "\x1b[32mApplied\x1b[0m") {
		t.Errorf("nothing is green in %q", colored.String())
	}
	stripped := colored.String()
	for _, code := range []string{"\x1b[0m", "\x1b[1m", "\x1b[31m", "\x1b[32m"} {
		stripped = strings.ReplaceAll(stripped, code, "")
	}
	if stripped != bare.String() {
		t.Errorf("got:\n%s\nwant:\n%s", stripped, bare.String())
	}
}

func TestTimes(t *testing.T) {
	for name, c := range map[string]struct{ got, want string }{
		"minutes ago":              {printers.Age(now.Add(-3*time.Minute), now), "3m"},
		"a clock that is ahead":    {printers.Age(now.Add(time.Minute), now), "0s"},
		"no time":                  {printers.Age(time.Time{}, now), ""},
		"a week ahead":             {printers.Until(now.Add(167*time.Hour), now), "6d23h"},
		"a time that has passed":   {printers.Until(now.Add(-time.Hour), now), "past"},
		"a moment ago":             {printers.Moment(now.Add(-90*time.Second), now), "90s ago (2026-03-04T11:58:30Z)"},
		"a moment that is to come": {printers.Moment(now.Add(48*time.Hour), now), "in 2d (2026-03-06T12:00:00Z)"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.got != c.want {
				t.Errorf("got %q, want %q", c.got, c.want)
			}
		})
	}
}
