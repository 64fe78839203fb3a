package attack

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"unicode"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/test/e2e/world"
)

// hostile are texts that would do something to a terminal, a shell, a web page or a log that shows them as they are.
var hostile = strings.Join([]string{
	"\x1b[2J\x1b[H", "\x1b]0;title\x07", "\x1b]8;;http://evil\x07", "\u009b31m", "\u202eevil\u2066", "a\x00b", "line\r\nApproved by bob\r\x1b[1A", "\x7f\b\b",
	"<script>alert(1)</script>", "$(id) `id` %s%n ' \" \\", "\ufeff\u200b\u2800\u00ad\u180e", "z" + strings.Repeat("\u0301", 40), "\U0001f1e9\U0001f1ea",
}, " ")

// colours is what sr itself sends to a terminal: colours, and what its line editor needs to ask.
var colours = regexp.MustCompile("\x1b\\[[0-9;]*m")

// raw are the characters of a screen that do something, or that nobody sees.
func raw(screen string) []string {
	var found []string
	for _, r := range strings.ReplaceAll(colours.ReplaceAllString(screen, ""), "\r\n", "\n") {
		if r != '\n' && !unicode.IsPrint(r) {
			found = append(found, fmt.Sprintf("%U", r))
		}
	}
	return found
}

var _ = Describe("Hostile strings", func() {
	It("in every field that takes them, and in names of people, reach no terminal as they are", func() {
		const eve = "eve\x1b[2J\u202e\x07<b>"
		team := w.NewTeam(world.Options{Live: live()})
		done := team.As(world.Alice).Propose("--set", "A="+w.Secret("one"))
		team.Await(done, v1alpha1.PhasePending)
		Expect(team.As(world.Bob).SR("approve", done, "-y")).To(end(0))
		for _, role := range []string{"secretreview-proposer", "secretreview-approver"} {
			binding := bound(team, "ClusterRole", role, rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: eve})
			binding.Name = role + "-hostile"
			team.Apply(binding)
		}
		_, version := team.Live(world.Production)
		path := "/apis/secretreview.dev/v1alpha1/namespaces/" + team.Namespace + "/secretchanges"
		create := func(name string, edit func(*v1alpha1.SecretChangeSpec)) {
			GinkgoHelper()
			change := map[string]any{"apiVersion": v1alpha1.GroupVersion.String(), "kind": "SecretChange", "metadata": map[string]any{
				"name": name, "namespace": team.Namespace, "annotations": map[string]string{"example.com/note": hostile},
			}}
			spec := v1alpha1.SecretChangeSpec{
				Project: team.Project, Environment: world.Production, Reason: hostile, ProposedBy: eve, BaseVersionID: v1alpha1.VersionID(version),
			}
			edit(&spec)
			change["spec"] = spec
			text, err := json.Marshal(change)
			Expect(err).NotTo(HaveOccurred())
			Eventually(func(g Gomega) {
				status, answer := send(eve, http.MethodPost, path, "application/json", string(text))
				g.Expect(status).To(Equal(http.StatusCreated), answer)
			}).Should(Succeed())
			Eventually(func() v1alpha1.Phase { return team.Change(name).Status.Phase }).ShouldNot(BeEmpty())
		}
		create("pending", func(s *v1alpha1.SecretChangeSpec) {
			s.Restore = &v1alpha1.RestoreSource{VersionID: v1alpha1.VersionID(version)}
		})
		create("by-name", func(s *v1alpha1.SecretChangeSpec) { s.Rollback = &v1alpha1.RollbackSource{Change: hostile[:200]} })
		create("restored", func(s *v1alpha1.SecretChangeSpec) { s.Restore = &v1alpha1.RestoreSource{Change: hostile[:200]} })
		manifest := team.As(world.Alice).Manifest("--set", "A="+w.Secret("two"))
		Expect(team.As(world.Alice).Create(manifest)).To(end(0))
		team.Await(manifest.Name, v1alpha1.PhasePending)
		review, err := json.Marshal([]any{map[string]any{"op": "add", "path": "/spec/reviews/-", "value": v1alpha1.Review{Reviewer: eve, Verdict: v1alpha1.VerdictRejected, Comment: hostile}}})
		Expect(err).NotTo(HaveOccurred())
		status, answer := send(eve, http.MethodPatch, path+"/"+manifest.Name, "application/json-patch+json", string(review))
		Expect(status).To(Equal(http.StatusOK), answer)
		team.Await(manifest.Name, v1alpha1.PhaseRejected)

		bob := team.As(world.Bob)
		for _, args := range [][]string{
			{"status"}, {"status", "-o", "wide"}, {"status", "pending"}, {"status", "by-name"}, {"status", "restored"}, {"status", manifest.Name},
			{"status", "-o", "json"}, {"status", "-o", "yaml"}, {"status", "pending", "-o", "jsonpath={.spec.reason}{.spec.proposedBy}"},
			{"status", "pending", "-o", "go-template={{.spec.reason}}"},
			{"history"}, {"history", "-o", "wide"}, {"history", "-o", "json"}, {"history", "-o", "yaml"}, {"history", "-o", "jsonpath={.items[*].spec}"},
			{"review", "pending", "-y"}, {"review", "by-name", "-y"}, {"review", manifest.Name, "-y"}, {"review", "pending", "--json"}, {"review", "pending", "-y", "--without-values"},
			{"versions"}, {"versions", "-o", "json"}, {"approve", "by-name", "-y"}, {"reject", manifest.Name, "-y"}, {"rollback", "by-name", "-r", "x", "--dry-run"},
		} {
			shown := bob.Terminal("sr", args...)
			screen, _ := shown.Wait()
			Expect(raw(screen)).To(BeEmpty(), "%q shows %q", args, screen)
			Expect(screen).NotTo(BeEmpty(), "%q", args)
			// In a pipe, from which it may reach a terminal in the end, only a program's own template gets what there is.
			said := bob.SR(args...)
			if template := strings.Join(args, " "); !strings.Contains(template, "jsonpath=") && !strings.Contains(template, "go-template=") {
				Expect(said.Out).NotTo(ContainSubstring("\x1b"), "%q", args)
			}
			Expect(said.Err).NotTo(ContainSubstring("\x1b"), "%q", args)
		}
		// The manager's log and its metrics are lines of JSON and of labels.
		for _, text := range []string{w.Manager.Log(), w.Manager.Metrics()} {
			Expect(text).NotTo(ContainSubstring("\x1b"))
			Expect(text).NotTo(ContainSubstring("\u202e"))
		}
	})

	It("in what the API server answers to sr, as an error, reach no terminal as they are", func() {
		team := w.NewTeam(world.Options{Live: live()})
		for _, args := range [][]string{
			{"status", "x\x1b[2Jy"}, {"review", "x\x1b]0;t\x07", "-y"}, {"propose", "-r", strings.ReplaceAll(hostile, "\x00", ""), "--set", "A\x1b[2J=1"}, {"pull", "-e", "\x1b[2J"}, {"pull", "-p", "\u202ex"},
			{"status", "-n", "\x1b[2J"}, {"approve", "--id", "\x1b[2J", "-y"}, {"status", "--as", "\x1b[2J\u202e"}, {"\x1b[2J"}, {"status", "--\x1b[2J"}, {"status", "-o", "\x1b[2J"},
		} {
			screen, code := team.As(world.Bob).Terminal("sr", args...).Wait()
			Expect(code).NotTo(BeZero(), "%q", args)
			Expect(raw(screen)).To(BeEmpty(), "%q shows %q", args, screen)
		}
	})
})
