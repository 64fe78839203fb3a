package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"

	"github.com/google/uuid"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/yaml"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/test/cluster"
	"github.com/secretreview/secretreview/test/e2e/world"
)

var _ = Describe("A change that is kept in Git", func() {
	var team *world.Team
	var alice *world.Shell

	BeforeEach(func() {
		team = w.NewTeam(world.Options{Live: map[string]string{"A": w.Secret("a")}})
		alice = team.As(world.Alice)
	})

	// manifest stages a change and writes what sr prints into a file.
	manifest := func() (name string) {
		GinkgoHelper()
		printed := alice.SR("propose", "-r", "because", "--set", "A="+w.Secret("one"), "-o", "yaml")
		Expect(printed).To(end(0, "Commit the manifest"))
		Expect(printed.Out).To(And(HavePrefix("apiVersion: secretreview.dev/v1alpha1\n"), ContainSubstring("ServerSideApply=true,Prune=false,Delete=false"),
			Not(ContainSubstring("reviews")), Not(ContainSubstring("status"))))
		alice.Write("change.yaml", printed.Out)
		Expect(team.Changes()).To(BeEmpty())
		applied := alice.Kubectl("apply", "--server-side", "-f", "change.yaml")
		Expect(applied).To(end(0))
		return team.Changes()[0].Name
	}

	It("is staged first, applied from its manifest, reviewed in the cluster, and applied again without harm", func() {
		name := manifest()
		team.Await(name, v1alpha1.PhasePending)
		Expect(team.As(world.Bob).SR("approve", name, "-y", "--no-wait", "-c", "fine")).To(end(0))
		By("Git's copy has no reviews, and takes none away")
		Expect(alice.Kubectl("apply", "--server-side", "-f", "change.yaml")).To(end(0))
		Expect(team.Await(name, v1alpha1.PhaseApplied).Spec.Reviews).To(HaveLen(1))
		Expect(team.LiveValues()).To(HaveKeyWithValue("A", w.Secret("one")))
		By("a finished change stays as it is")
		Expect(alice.Kubectl("apply", "--server-side", "-f", "change.yaml")).To(end(0))
		Expect(team.Change(name).Status.Phase).To(Equal(v1alpha1.PhaseApplied))
	})

	It("cannot be altered by altering the manifest", func() {
		name := manifest()
		team.Await(name, v1alpha1.PhasePending)
		alice.Write("change.yaml", replaced(alice.Read("change.yaml"), "reason: because", "reason: something else"))
		Expect(alice.Kubectl("apply", "--server-side", "-f", "change.yaml")).To(end(1, "reason is immutable"))
	})

	It("bears reviews only of whoever applies it", func() {
		printed := alice.SR("propose", "-r", "because", "--set", "A="+w.Secret("one"), "-o", "yaml")
		forged := printed.Out + "  reviews:\n  - reviewer: bob\n    verdict: Approved\n"
		for _, somebody := range []string{world.Alice, world.Admin} {
			Expect(team.As(somebody).Feed(forged, "kubectl", "apply", "--server-side", "-f", "-")).To(end(1, "denied request"), somebody)
		}
		Expect(team.Changes()).To(BeEmpty())
	})
})

var _ = Describe("A change that is reviewed in Git", func() {
	var team *world.Team
	var origin, applier *world.Shell

	BeforeEach(func() {
		team = w.NewTeam(world.Options{
			Live: map[string]string{"KEPT": w.Secret("kept"), "OLD": w.Secret("old"), "URL": w.Secret("url")}, Approvers: []string{world.Bob, "ci"},
		})
		applier = team.GitOps(world.Applier)
		origin = team.Person(world.Alice).Shell()
		git(origin, "init", "-q", "--bare", "-b", "main")
		first := clone(team.Person(world.Alice), origin)
		first.Write("README.md", "Changes to secrets\n")
		commit(first, "Begin")
	})

	// proposed has Alice push a change on a branch, and returns its name and its file.
	proposed := func() (name, file string) {
		GinkgoHelper()
		alice := clone(team.Person(world.Alice), origin)
		git(alice, "checkout", "-q", "-b", "change")
		printed := team.As(world.Alice).SR("propose", "-r", "because", "--set", "URL="+w.Secret("new-url"), "--set", "NEW="+w.Secret("new"), "--unset", "OLD", "-o", "yaml")
		Expect(printed).To(end(0, "Commit the manifest"))
		file = "change.yaml"
		alice.Write(file, printed.Out)
		commit(alice, "Propose a new URL")
		var change v1alpha1.SecretChange
		Expect(yaml.Unmarshal([]byte(printed.Out), &change)).To(Succeed())
		return change.Name, file
	}
	// ci is a runner that knows no cluster.
	ci := func() *world.Shell {
		GinkgoHelper()
		runner := clone(team.Person("ci"), origin).With("KUBECONFIG=/nonexistent")
		git(runner, "checkout", "-q", "change")
		return runner
	}
	// merged has the pipeline write Bob's review into the manifest and merge it, and returns what is on main.
	merged := func(file string) *world.Shell {
		GinkgoHelper()
		runner := ci()
		Expect(record(runner, file, "alice-on-git", "bob-on-git")).To(end(0))
		Expect(runner.SR("check", ".")).To(end(0, "0 errors, 0 warnings"))
		commit(runner, "Bob approved it")
		git(runner, "checkout", "-q", "main")
		git(runner, "merge", "-q", "--no-ff", "-m", "Merge a new URL", "change")
		git(runner, "push", "-q")
		main := clone(team.Person(world.Applier), origin)
		applier.Write(file, main.Read(file))
		return main
	}
	It("takes reviews only of people who are known, and a proposal only of its author", func() {
		_, file := proposed()
		runner := ci()
		before := runner.Read(file)
		Expect(record(runner, file, "bob-on-git", "alice-on-git")).To(end(1, "is proposed by alice, and the pull request is by bob-on-git"))
		Expect(record(runner, file, "alice-on-git", "eve-on-git")).To(end(1, "nobody who approved is in people"))
		Expect(record(runner, file, "nobody-on-git", "bob-on-git")).To(end(1, "the pull request is by nobody-on-git"))
		Expect(runner.Read(file)).To(Equal(before))
		Expect(record(runner, file, "alice-on-git", "eve-on-git", "bob-on-git", "alice-on-git")).To(end(0, "eve-on-git is not in people"))
		var change v1alpha1.SecretChange
		Expect(yaml.Unmarshal([]byte(runner.Read(file)), &change)).To(Succeed())
		Expect(change.Spec.Reviews).To(HaveExactElements(HaveField("Reviewer", world.Bob), HaveField("Reviewer", world.Alice)))
	})

	apply := func(account *world.Shell, file string) world.Result {
		GinkgoHelper()
		return account.Kubectl("apply", "--server-side", "--field-manager=gitops", "-f", file)
	}
	unchanged := map[string]string{}
	BeforeEach(func() {
		unchanged = team.LiveValues()
	})

	It("is checked with its keys, merged, and goes live as it was staged", func() {
		name, file := proposed()
		By("CI tells reviewers the keys, and neither asks a cluster nor tells a value")
		comment := ci().SR("check", ".", "-o", "markdown")
		Expect(comment).To(end(0, "0 errors, 0 warnings", "| Added | <code>NEW</code> |", "| Removed | <code>OLD</code> |", "| Modified | <code>URL</code> |"))
		Expect(comment.Out).NotTo(ContainSubstring(w.Mark))
		Expect(team.Changes()).To(BeEmpty())

		By("an account that is not listed cannot apply it, whatever rights it has")
		main := merged(file)
		unlisted := team.GitOps(world.Unlisted)
		unlisted.Write(file, main.Read(file))
		Expect(apply(unlisted, file)).To(end(1, "denied request", "may not propose in the name of alice", "a place in the list appliers"))
		Expect(team.Changes()).To(BeEmpty())

		By("the listed one can, and what was merged goes live")
		staged := team.SecretState(team.StagedName(name))
		Expect(staged.Versions).To(HaveLen(1))
		Expect(apply(applier, file)).To(end(0))
		change := team.Await(name, v1alpha1.PhaseApplied)
		Expect(change.Spec.ProposedBy).To(Equal(world.Alice))
		Expect(change.Spec.Reviews).To(ConsistOf(HaveField("Reviewer", world.Bob)))
		Expect(change.Spec.Staged).To(And(HaveField("SecretARN", staged.ARN), HaveField("VersionID", BeEquivalentTo(staged.Versions[0].ID))))
		values, version := team.Live(world.Production)
		Expect(values).To(Equal(map[string]string{"KEPT": w.Secret("kept"), "NEW": w.Secret("new"), "URL": w.Secret("new-url")}))
		Expect(version).To(Equal(change.Status.AppliedVersionID))

		By("applying it again, as GitOps controllers do, changes nothing")
		Expect(apply(applier, file)).To(end(0))
		Expect(team.Change(name).Status.Phase).To(Equal(v1alpha1.PhaseApplied))
		team.AwaitUnstaged(name)
		Expect(ci().SR("check", ".")).To(end(0, "nothing is staged as it pins it"))
	})

	It("cannot be given other bytes once it is applied", func() {
		name, file := proposed()
		merged(file)
		w.Manager.Stop()
		DeferCleanup(w.Manager.Revive)
		Expect(apply(applier, file)).To(end(0))
		applier.Write(file, otherVersion(applier.Read(file)))
		Expect(apply(applier, file)).To(end(1, "the source (staged, rollback or restore) is immutable"))
		w.Manager.Start()
		team.Await(name, v1alpha1.PhaseApplied)
		Expect(team.LiveValues()).To(HaveKeyWithValue("URL", w.Secret("new-url")))
	})

	It("ends where its pin was edited after the review", func() {
		name, file := proposed()
		merged(file)
		runner := ci()
		runner.Write(file, otherVersion(runner.Read(file)))
		Expect(runner.SR("check", ".", "-o", "github")).To(end(3, "::error title=sr check,file=change.yaml,line=", "spec.staged.versionID: what is staged has another version"))
		applier.Write(file, otherVersion(applier.Read(file)))
		Expect(apply(applier, file)).To(end(0))
		Expect(team.Await(name, v1alpha1.PhaseInvalid).Status.Message).To(ContainSubstring("the staged version does not exist"))
		Expect(team.LiveValues()).To(Equal(unchanged))
	})

	It("does not take another change's bytes", func() {
		name, file := proposed()
		other := team.As(world.Alice).Manifest("--set", "URL="+w.Secret("never-reviewed"))
		merged(file)
		edited := replaced(applier.Read(file), name, other.Name)
		edited = replaced(edited, "name: "+other.Name+"\n", "name: "+name+"\n")
		applier.Write(file, edited)
		runner := ci()
		runner.Write(file, edited)
		Expect(runner.SR("check", ".")).To(end(3, "spec.staged.secretARN: it is not the secret of a change of this name"))
		Expect(apply(applier, file)).To(end(0))
		team.Await(name, v1alpha1.PhaseInvalid)
		Expect(team.LiveValues()).To(Equal(unchanged))
	})

	It("fails in CI where somebody commits values beside it", func() {
		_, file := proposed()
		runner := ci()
		alice := team.As(world.Alice)
		Expect(alice.SR("pull")).To(end(0))
		runner.Write(".env", alice.Read(".env"))
		runner.Write("secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {A: "+w.Secret("new")+"}\n")
		runner.Write(file, replaced(runner.Read(file), "  reason: because\n", "  reason: because\n  value: "+w.Secret("new")+"\n"))
		found := runner.SR("check", ".")
		Expect(found).To(end(3, ".env:1: error:", "[dotenv]", "secret.yaml:4: error:", "[kubernetes-secret]", "change.yaml:", "spec.value: there is no such field", "3 errors"))
		Expect(found.Out + found.Err).NotTo(ContainSubstring(w.Mark))
	})
})

// record has the script of docs/git-review.md write who approved into a manifest.
func record(s *world.Shell, file, author string, approvers ...string) world.Result {
	GinkgoHelper()
	root, err := cluster.RepositoryRoot()
	Expect(err).NotTo(HaveOccurred())
	people := filepath.Join(GinkgoT().TempDir(), "people")
	Expect(os.WriteFile(people, []byte("# login user\nalice-on-git alice\nbob-on-git bob\n"), 0o600)).To(Succeed())
	return s.Run("/bin/sh", append([]string{filepath.Join(root, "docs", "git-review", "record-reviews.sh"), file, people, "pull request 7", author}, approvers...)...)
}

// git runs the git of this machine.
func git(s *world.Shell, args ...string) {
	GinkgoHelper()
	path, err := exec.LookPath("git")
	Expect(err).NotTo(HaveOccurred())
	Expect(s.Run(path, args...)).To(end(0))
}

// clone returns a Shell in somebody's clone of a repository.
func clone(who *world.Person, origin *world.Shell) *world.Shell {
	GinkgoHelper()
	s := who.Shell().With("GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME="+who.Name, "GIT_AUTHOR_EMAIL="+who.Name+"@example.com",
		"GIT_COMMITTER_NAME="+who.Name, "GIT_COMMITTER_EMAIL="+who.Name+"@example.com")
	git(s, "clone", "-q", origin.Dir, ".")
	return s
}

// commit commits all that there is, and pushes it.
func commit(s *world.Shell, message string) {
	GinkgoHelper()
	git(s, "add", "--all")
	git(s, "commit", "-q", "-m", message)
	git(s, "push", "-q", "-u", "origin", "HEAD")
}

// otherVersion pins another version of what is staged.
func otherVersion(manifest string) string {
	GinkgoHelper()
	pin := regexp.MustCompile(`(?m)^(    versionID: ).*$`)
	Expect(pin.FindAllString(manifest, -1)).To(HaveLen(1), manifest)
	return pin.ReplaceAllString(manifest, "${1}"+uuid.NewString())
}
