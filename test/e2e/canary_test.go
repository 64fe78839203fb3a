package e2e

import (
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/test/e2e/world"
)

// All specs use marked values, and the end of the suite searches for them again.
var _ = Describe("Must not happen: values in a Kubernetes object, event, log line, metric, error or panic", func() {
	It("whichever way they travel", func() {
		marked := map[string]string{"PLAIN": w.Secret("plain"), "ESCAPED": w.Secret("\"\\\n<&>\u2028\x01é"), "FILE": w.Secret("file")}
		team := w.NewTeam(world.Options{Live: marked})
		alice, bob := team.As(world.Alice), team.As(world.Bob)

		By("applied, from a file, standard input, an argument and a terminal")
		Expect(alice.SR("pull")).To(end(0))
		alice.Write(".env", alice.Read(".env")+"NEW=\""+w.Secret("new")+"\"\n")
		alice.Write("value", w.Secret("from-file\n"))
		first := alice.ProposeFrom(w.Secret("from-stdin"), "-f", ".env", "--set", "PLAIN=-", "--set", "FILE=@value", "--set", "ARGUMENT="+w.Secret("argument"))
		team.Await(first, v1alpha1.PhasePending)
		terminal := alice.Terminal("sr", "propose", "-r", "because", "--set", "PLAIN")
		terminal.Type("Value of PLAIN: ", w.Secret("typed"))
		screen, code := terminal.Wait()
		Expect(code).To(BeZero(), screen)
		Expect(screen).NotTo(ContainSubstring(w.Mark))
		Expect(bob.SR("review", first)).To(end(0, "ARGUMENT"))
		Expect(bob.SR("review", first, "--json", "--show-all")).To(end(0, "ARGUMENT"))
		Expect(bob.SR("approve", first, "-y")).To(end(0))

		By("rejected, expired credentials, denied and failing writes, a dead manager")
		second := alice.Propose("--set", "PLAIN="+w.Secret("rejected"))
		team.Await(second, v1alpha1.PhasePending)
		Expect(bob.SR("reject", second, "-y")).To(end(0))
		third := alice.Propose("--set", "PLAIN="+w.Secret("failing"), "--unset", "ESCAPED")
		team.Await(third, v1alpha1.PhasePending)
		var faults []emulator.Fault
		for _, kind := range []emulator.FaultKind{emulator.FaultDeny, emulator.FaultInternal, emulator.FaultLose, emulator.FaultDrop, emulator.FaultError} {
			fault := byManager(team, "PutSecretValue")
			fault.Kind, fault.Count, fault.Code = kind, 1, "InvalidParameterException"
			faults = append(faults, fault)
		}
		w.AWS.Fail(faults...)
		Expect(bob.SR("approve", third, "-y")).To(end(0))

		By("malformed: in a file, in what is staged, in what is live")
		for _, malformed := range []string{w.Secret("no assignment"), "A=\"" + w.Secret("open"), "A=1\nA=" + w.Secret("twice"), "# secretreview: " + w.Secret("header"), "A=\xff" + w.Secret("utf-8")} {
			alice.Write("bad.env", malformed+"\n")
			Expect(alice.SR("propose", "-r", "because", "-f", "bad.env").Code).NotTo(BeZero())
		}
		Expect(alice.SR("propose", w.Secret("a stray argument")).Code).To(Equal(2))
		Expect(alice.SR("propose", "-r", "because", "--set", w.Secret("no key ")+"="+w.Secret("value")).Code).To(Equal(2))
		fourth := alice.Manifest("--set", "PLAIN="+w.Secret("spoilt"))
		w.Account().Must("PutSecretValue", map[string]any{
			"SecretId": team.StagedName(fourth.Name), "SecretString": `{"version":1,"set":{"A":"` + w.Mark + `"`, "ClientRequestToken": string(fourth.Spec.BaseVersionID),
		})
		fourth.Spec.Staged.VersionID = fourth.Spec.BaseVersionID
		Expect(alice.Create(fourth)).To(end(0))
		team.Await(fourth.Name, v1alpha1.PhaseInvalid)
		spoilt := w.NewTeam(world.Options{Unready: true, Prepare: func(t *world.Team) { t.CreateLiveText(world.Production, `{"A": `+w.Mark) }})
		Eventually(func() []v1alpha1.EnvironmentStatus { return spoilt.ProjectStatus().Environments }).Should(ContainElement(HaveField("Problem", Not(BeNil()))))
		Expect(spoilt.As(world.Alice).SR("pull").Code).NotTo(BeZero())

		By("a search that finds what may be found")
		Expect(w.Where("ARGUMENT")).To(And(
			ContainElement(HavePrefix("cluster/etcd/")), ContainElement(HavePrefix("cluster/audit.log")), ContainElement(HavePrefix("output of command")),
		), "keys are no secret")
		Expect(w.Where(first)).To(ContainElement(HavePrefix("logs/manager.log")))
		Expect(w.Where("secretreview_change_transitions_total")).To(ContainElement(HavePrefix("metrics")))

		By("and finds no value")
		Expect(w.Where(w.Mark)).To(BeEmpty())
	})

	It("and metrics only to whom they are for", func() {
		status, _ := w.Manager.Scrape("")
		Expect(status).To(Equal(http.StatusUnauthorized))
		team := w.NewTeam(world.Options{Live: map[string]string{"A": w.Secret("a")}})
		team.Admin("create", "serviceaccount", "nobody")
		status, _ = w.Manager.Scrape(w.ServiceAccountToken(team.Namespace, "nobody"))
		Expect(status).To(Equal(http.StatusForbidden))
		Expect(w.Manager.Metrics()).To(ContainSubstring("secretreview_aws_calls_total{"))
	})
})
