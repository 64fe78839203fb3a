package e2e

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/utils/ptr"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/test/e2e/world"
)

// untouched holds that nothing was staged or created, and that AWS was asked to write nothing.
func untouched(team *world.Team) {
	GinkgoHelper()
	Expect(team.Staged()).To(BeEmpty())
	Expect(team.Changes()).To(BeEmpty())
}

// writes are the calls about a team's secrets that were made to change something, by anybody but the administrator.
func writes(team *world.Team) []string {
	GinkgoHelper()
	var operations []string
	for _, call := range w.AWS.Calls() {
		reads := strings.HasPrefix(call.Operation, "Get") || strings.HasPrefix(call.Operation, "Describe")
		if strings.Contains(call.Secret, team.Project) && call.AccessKeyID != world.Admin && !reads {
			operations = append(operations, call.Operation)
		}
	}
	return operations
}

var _ = Describe("Bad input on the command line", Ordered, func() {
	var team *world.Team
	var alice *world.Shell

	BeforeAll(func() {
		team = w.NewTeam(world.Options{Live: map[string]string{"A": w.Secret("a"), "B": w.Secret("b")}})
	})
	BeforeEach(func() { alice = team.As(world.Alice) })

	type input struct {
		args []string
		file string
		code int
		says []string
	}
	DescribeTable("gets one sentence and an exit code, and stages nothing", func(build func() input) {
		in := build()
		if in.file != "" {
			alice.Write(".env", in.file)
		}
		args := append([]string{"propose", "-r", "because"}, in.args...)
		Expect(alice.SR(args...)).To(fail(in.code, in.says...))
		untouched(team)
		Expect(writes(team)).To(BeEmpty(), "and asks AWS to write nothing")
	},
		Entry("an unknown project", func() input {
			return input{args: []string{"-p", "nonesuch", "--set", "A=1"}, code: 5, says: []string{`has no project "nonesuch": choose`}}
		}),
		Entry("an unknown environment", func() input {
			return input{args: []string{"-e", "nonesuch", "--set", "A=1"}, code: 5, says: []string{`no environment "nonesuch": choose production`}}
		}),
		Entry("a namespace without projects", func() input {
			return input{args: []string{"-n", "default", "--set", "A=1"}, code: 6, says: []string{"forbidden"}}
		}),
		Entry("no reason", func() input {
			return input{args: []string{"-r", " ", "--set", "A=1"}, code: 2, says: []string{"no reason is given"}}
		}),
		Entry("a flag that there is not", func() input {
			return input{args: []string{"--nonesuch"}, code: 2, says: []string{"unknown flag: --nonesuch"}}
		}),
		Entry("a file that is not there", func() input {
			return input{args: []string{"-f", "nonesuch.env"}, code: 2, says: []string{"there is no file nonesuch.env"}}
		}),
		Entry("a malformed line, which is named and not quoted", func() input {
			return input{file: "A=1\n" + w.Secret("no assignment") + "\n", code: 1, says: []string{".env, line 2"}}
		}),
		Entry("an open quote", func() input {
			return input{file: "A=\"" + w.Secret("open") + "\n", code: 1, says: []string{".env, line 1"}}
		}),
		Entry("keys that the file lacks", func() input {
			return input{file: "A=" + w.Secret("a") + "\n", code: 3, says: []string{"lacks 1 live key", "B"}}
		}),
		Entry("a file of another environment", func() input {
			return input{
				file: "# secretreview: project=other environment=production version=" + strings.Repeat("1", 32) + "\nA=1\nB=2\n",
				code: 3, says: []string{"was pulled from other/production"},
			}
		}),
		Entry("a key that is not live, to unset", func() input {
			return input{args: []string{"--unset", "NONESUCH"}, code: 3, says: []string{"NONESUCH", "is not live"}}
		}),
		Entry("a key twice", func() input {
			return input{args: []string{"--set", "A=" + w.Secret("1"), "--set", "A=" + w.Secret("2")}, code: 2, says: []string{"given twice"}}
		}),
		Entry("over 65,536 bytes, said before staging", func() input {
			return input{
				file: "A=" + w.Secret(strings.Repeat("x", 40_000)) + "\nB=" + w.Secret(strings.Repeat("y", 40_000)) + "\n",
				code: 3, says: []string{"65536"},
			}
		}),
		Entry("a secret that is asked for where nobody can answer", func() input {
			return input{args: []string{"--set", "A"}, code: 2, says: []string{"no terminal"}}
		}),
	)

	It("that names a change that there is not, or none, gets one sentence", func() {
		for _, command := range [][]string{{"review", "nonesuch"}, {"approve", "nonesuch", "-y"}, {"reject", "nonesuch", "-y"}, {"status", "nonesuch"}} {
			Expect(team.As(world.Bob).SR(command...)).To(fail(5, `no change "nonesuch"`), "%v", command)
		}
		Expect(team.As(world.Bob).SR("review")).To(fail(2, "no change is named"))
	})
})

var _ = Describe("A live secret that cannot be served", func() {
	rotating := emulator.State{RotationEnabled: ptr.To(true), Rotating: ptr.To(true)}
	cases := map[string]struct {
		spoil, mend func(*world.Team)
		reason      string
		says        string
	}{
		"that is missing": {
			spoil:  func(t *world.Team) {},
			mend:   func(t *world.Team) { t.CreateLive(world.Production, map[string]string{"A": w.Secret("a")}) },
			reason: v1alpha1.ReasonSecretMissing, says: "does not exist",
		},
		"that is scheduled for deletion": {
			spoil: func(t *world.Team) {
				t.CreateLive(world.Production, map[string]string{"A": w.Secret("a")})
				w.Account().Must("DeleteSecret", map[string]any{"SecretId": t.LiveName(world.Production)})
			},
			mend: func(t *world.Team) {
				w.Account().Must("RestoreSecret", map[string]any{"SecretId": t.LiveName(world.Production)})
			},
			reason: v1alpha1.ReasonSecretUnusable, says: "scheduled for deletion",
		},
		"that a service owns": {
			spoil: func(t *world.Team) {
				t.CreateLive(world.Production, map[string]string{"A": w.Secret("a")})
				w.AWS.SetState(t.LiveName(world.Production), emulator.State{OwningService: ptr.To("rds")})
			},
			mend: func(t *world.Team) {
				w.AWS.SetState(t.LiveName(world.Production), emulator.State{OwningService: ptr.To("")})
			},
			reason: v1alpha1.ReasonSecretUnusable, says: "rds",
		},
		"that is a replica": {
			spoil: func(t *world.Team) {
				t.CreateLive(world.Production, map[string]string{"A": w.Secret("a")})
				w.AWS.SetState(t.LiveName(world.Production), emulator.State{PrimaryRegion: ptr.To("eu-central-1")})
			},
			mend: func(t *world.Team) {
				w.AWS.SetState(t.LiveName(world.Production), emulator.State{PrimaryRegion: ptr.To(world.Region)})
			},
			reason: v1alpha1.ReasonSecretUnusable, says: "replica",
		},
		"that is in the middle of a rotation": {
			spoil: func(t *world.Team) {
				t.CreateLive(world.Production, map[string]string{"A": w.Secret("a")})
				w.AWS.SetState(t.LiveName(world.Production), rotating)
			},
			mend: func(t *world.Team) {
				w.AWS.SetState(t.LiveName(world.Production), emulator.State{Rotating: ptr.To(false)})
			},
			reason: v1alpha1.ReasonSecretUnusable, says: "rotation",
		},
		"that is not an object of strings": {
			spoil:  func(t *world.Team) { t.CreateLiveText(world.Production, `{"A":["`+w.Mark+`"]}`) },
			mend:   func(t *world.Team) { t.SetLive(world.Production, map[string]string{"A": w.Secret("a")}) },
			reason: v1alpha1.ReasonSecretUnusable, says: "",
		},
		"that belongs to another namespace": {
			spoil: func(t *world.Team) {
				t.CreateLive(world.Production, map[string]string{"A": w.Secret("a")})
				t.SetOwner(world.Production, "e2e/somebody-else")
			},
			mend:   func(t *world.Team) { t.SetOwner(world.Production, world.ClusterName+"/"+t.Namespace) },
			reason: v1alpha1.ReasonNotOwner, says: "secretreview:owner",
		},
	}

	It("is said so at once, stages nothing, and is served when it is mended", func() {
		teams := map[string]*world.Team{}
		for name, c := range cases {
			teams[name] = w.NewTeam(world.Options{Unready: true, Prepare: c.spoil})
		}
		for name, c := range cases {
			By("one " + name)
			team := teams[name]
			Eventually(func() []v1alpha1.EnvironmentStatus { return team.ProjectStatus().Environments }).Should(
				ContainElement(HaveField("Problem", HaveValue(HaveField("Reason", c.reason)))))
			Expect(team.As(world.Alice).SR("propose", "-r", "because", "--set", "A="+w.Secret("one"))).To(fail(3, "cannot be served", c.says))
			untouched(team)
			c.mend(team)
		}
		for name, team := range teams {
			By("one " + name + ", once it is mended")
			team.AwaitReady()
			change := team.As(world.Alice).Propose("--set", "A="+w.Secret("one"))
			team.Await(change, v1alpha1.PhasePending)
			Expect(team.As(world.Bob).SR("approve", change, "-y")).To(end(0, "is applied"))
		}
	})

	It("that breaks after the approval holds the change until it is mended", func() {
		team := w.NewTeam(world.Options{Live: map[string]string{"A": w.Secret("a")}})
		name := team.As(world.Alice).Propose("--set", "A="+w.Secret("one"))
		team.Await(name, v1alpha1.PhasePending)
		w.AWS.SetState(team.LiveName(world.Production), rotating)
		approving := team.As(world.Bob).Begin("sr", "approve", name, "-y")
		team.AwaitReason(name, v1alpha1.ConditionApplied, v1alpha1.ReasonSecretUnusable)
		w.AWS.SetState(team.LiveName(world.Production), emulator.State{Rotating: ptr.To(false)})
		Expect(approving.Wait()).To(end(0, "is applied"))
	})
})

var _ = Describe("A change whose staged secret", func() {
	live := func() map[string]string { return map[string]string{"A": w.Secret("a")} }

	It("never was ends as Invalid", func() {
		team := w.NewTeam(world.Options{Live: live()})
		alice := team.As(world.Alice)
		change := alice.Manifest("--set", "A="+w.Secret("one"))
		w.Account().Must("DeleteSecret", map[string]any{"SecretId": team.StagedName(change.Name), "ForceDeleteWithoutRecovery": true})
		Expect(alice.Create(change)).To(end(0))
		Expect(team.Await(change.Name, v1alpha1.PhaseInvalid).Status.Message).To(ContainSubstring("the staged secret does not exist"))
	})

	It("is another change's ends as Invalid, and leaves that one alone", func() {
		team := w.NewTeam(world.Options{Live: live()})
		alice := team.As(world.Alice)
		pending := alice.Propose("--set", "A="+w.Secret("one"))
		change := team.Await(pending, v1alpha1.PhasePending)
		change.Name = "second"
		Expect(alice.Create(&change)).To(end(0))
		Expect(team.Await("second", v1alpha1.PhaseInvalid).Status.Message).To(ContainSubstring("is not named"))
		Expect(alice.Kubectl("get", "schg", pending, "-n", team.Namespace)).To(end(0, "Pending"))
		Expect(team.Staged()).To(ConsistOf(team.StagedName(pending)))
	})

	It("is deleted before the approval ends as Invalid, and is not live", func() {
		team := w.NewTeam(world.Options{Live: live()})
		name := team.As(world.Alice).Propose("--set", "A="+w.Secret("one"))
		team.Await(name, v1alpha1.PhasePending)
		w.Account().Must("DeleteSecret", map[string]any{"SecretId": team.StagedName(name), "ForceDeleteWithoutRecovery": true})
		w.Manager.Kill()
		w.Manager.Start()
		Expect(team.As(world.Bob).SR("approve", name, "-y")).To(end(5, "cannot be read"))
		Expect(team.As(world.Bob).SR("approve", name, "-y", "--without-values")).To(end(3, "it ended as Invalid"))
		Expect(team.LiveValues()).To(Equal(live()))
	})

	It("names a project that there is not ends as Invalid", func() {
		team := w.NewTeam(world.Options{Live: live()})
		alice := team.As(world.Alice)
		change := alice.Manifest("--set", "A="+w.Secret("one"))
		change.Spec.Project = "nonesuch"
		Expect(alice.Create(change)).To(end(0))
		Expect(team.Await(change.Name, v1alpha1.PhaseInvalid).Status.Message).To(ContainSubstring(`no SecretProject "nonesuch"`))
	})
})
