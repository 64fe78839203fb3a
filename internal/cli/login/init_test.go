package login_test

import (
	"io/fs"
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/clitest"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
)

var _ = Describe("init", func() {
	var scene *clitest.Scene
	var alice *clitest.Session
	const file = ".sr.json"

	BeforeEach(func() {
		scene = env.NewScene(GinkgoTB(), map[string]string{"A": "1"})
		scene.Emulator.SetStacks([]emulator.Stack{
			{Name: "ours", Outputs: map[string]string{"SecretPrefix": "secret-review/", "Region": "us-east-1"}},
			{Name: "elsewhere", Outputs: map[string]string{"SecretPrefix": "other/", "Region": "us-east-1"}},
		})
		alice = scene.As(clitest.Alice)
		// Flags alone say where: no preset context.
		alice.Alter = func(f *factory.Factory) { *f.KubeFlags.Namespace = "" }
	})
	const named = `"namespace":"NS","project":"backend-api","environment":"production","context":"alice"`
	want := func(fields string) string {
		return `{` + replaced(fields, "NS", scene.Namespace) + `}`
	}
	inNamespace := func(args ...string) []string { return append([]string{"init", "-n", scene.Namespace}, args...) }
	second := func(name string) {
		GinkgoHelper()
		Expect(scene.Admin.Create(GinkgoTB().Context(), &v1alpha1.SecretProject{
			ObjectMeta: metav1.ObjectMeta{Namespace: scene.Namespace, Name: name},
			Spec:       v1alpha1.SecretProjectSpec{ProjectName: "Web_App", Environments: []v1alpha1.Environment{{Name: "dev"}, {Name: "live"}}},
		})).To(Succeed())
	}

	It("writes what flags say, for others to read", func() {
		result := alice.Run(inNamespace("-p", clitest.Project, "-e", clitest.Production)...)
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(read(alice, file)).To(MatchJSON(want(named)))
		Expect(result.Out).To(And(HavePrefix("Wrote .sr.json\n"), MatchRegexp(`project +backend-api\n`)))
		Expect(result.Err).To(ContainSubstring("sr login"))
		info, err := os.Stat(filepath.Join(alice.Dir, file))
		Expect(err).NotTo(HaveOccurred())
		Expect(info.Mode().Perm() & 0o077).NotTo(Equal(fs.FileMode(0)))
		Expect(scene.Operations()).To(BeEmpty())
		Expect(alice.Run("pull", "-o", "-").Out).To(ContainSubstring("A=1"))
	})

	It("picks what there is only one of", func() {
		result := alice.Run(inNamespace()...)
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(read(alice, file)).To(MatchJSON(want(named)))
	})

	It("names what there is to choose from where nobody can be asked", func() {
		second("web")
		result := alice.Run(inNamespace()...)
		Expect(result.Code).To(Equal(exit.Usage))
		Expect(result.Err).To(ContainSubstring("backend-api, web: choose with --project"))
		result = alice.Run(inNamespace("--default-project", "Web_App")...)
		Expect(result.Code).To(Equal(exit.Usage))
		Expect(result.Err).To(ContainSubstring("dev, live: choose with --env"))
		Expect(filepath.Join(alice.Dir, file)).NotTo(BeAnExistingFile())
		result = alice.Run(inNamespace("--default-project", "Web_App", "--default-env", "live")...)
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(read(alice, file)).To(MatchJSON(want(`"namespace":"NS","project":"web","environment":"live","context":"alice"`)))
	})

	It("lets a person choose at a terminal, by number or name", func() {
		second("web")
		alice.AtTerminal(scene.Namespace, "9", "2", "live", "")
		result := alice.Run("init")
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(result.Err).To(And(ContainSubstring("Which project:\n  1  backend-api\n  2  web\n"), ContainSubstring(`"9" is none of them.`)))
		Expect(read(alice, file)).To(MatchJSON(want(`"namespace":"NS","project":"web","environment":"live","context":"alice"`)))
	})

	It("offers the namespaces with projects to who sees them all", func() {
		other := env.NewScene(GinkgoTB(), map[string]string{"A": "1"})
		binding := &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "carol-sees-all"},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "secretreview-viewer"},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: clitest.Carol}},
		}
		Expect(scene.Admin.Create(GinkgoTB().Context(), binding)).To(Succeed())
		DeferCleanup(func(ctx SpecContext) { Expect(scene.Admin.Delete(ctx, binding)).To(Succeed()) })
		carol := scene.As(clitest.Carol)
		carol.Alter = alice.Alter
		Eventually(func() string { return carol.Run("init").Err }).Should(ContainSubstring("choose with --namespace"))

		result := carol.AtTerminal(other.Namespace, "").Run("init")
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(result.Err).To(And(ContainSubstring("Which namespace:\n"), ContainSubstring(scene.Namespace)))
		Expect(read(carol, file)).To(ContainSubstring(other.Namespace))
		Expect(carol.AtTerminal().Run("login", "-A").Out).To(And(ContainSubstring(other.Namespace), ContainSubstring(scene.Namespace)))
	})

	It("offers the contexts of the kubeconfig", func() {
		alice.Alter = func(f *factory.Factory) { *f.KubeFlags.Context = "" }
		alice.AtTerminal("bob", "")
		result := alice.Run("init")
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(read(alice, file)).To(MatchJSON(want(replaced(named, `"context":"alice"`, `"context":"bob"`))))
	})

	It("reads where the secrets are from a stack, so that pulling needs no cluster", func() {
		result := alice.Run(inNamespace("--stack-name", "ours")...)
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(read(alice, file)).To(MatchJSON(want(named + `,"region":"us-east-1","prefix":"secret-review/"`)))
		alice.KubeContext = "nowhere"
		pulled := alice.Run("pull", "-o", "-", "--context", "nowhere")
		Expect(pulled.Code).To(Equal(exit.OK), pulled.Err)
		Expect(pulled.Out).To(ContainSubstring("A=1"))
	})

	It("writes the name in AWS where the cluster is not to be asked", func() {
		second("web")
		result := alice.Run(inNamespace("-p", "web", "-e", "dev", "--region", "us-east-1", "--secret-prefix", "x/")...)
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(read(alice, file)).To(MatchJSON(want(`"namespace":"NS","project":"Web_App","environment":"dev","context":"alice","region":"us-east-1","prefix":"x/"`)))
	})

	It("refuses a stack that the controller does not serve the project from", func() {
		result := alice.Run(inNamespace("--stack-name", "elsewhere")...)
		Expect(result.Code).To(Equal(exit.Refused), result.Err)
		Expect(result.Err).To(ContainSubstring(`the prefix would be "other/", but the controller serves project "backend-api" under the prefix "secret-review/"`))
		Expect(filepath.Join(alice.Dir, file)).NotTo(BeAnExistingFile())
	})

	It("says where there is no such stack, project, environment or cluster, and writes nothing", func() {
		for says, args := range map[string][]string{
			`there is no stack "gone"`:           inNamespace("--stack-name", "gone"),
			`there is no project "gone"`:         inNamespace("-p", "gone"),
			`has no environment "gone"`:          inNamespace("-e", "gone"),
			`list the projects to choose from`:   {"init", "-n", "default"},
			"context \"gone\" does not exist":    inNamespace("--context", "gone"),
			"it takes no arguments, only flags:": {"init", "here"},
		} {
			result := alice.Run(args...)
			Expect(result.Code).NotTo(Equal(exit.OK), "%v", args)
			Expect(result.Err).To(And(ContainSubstring(says), MatchRegexp(`\Asr: [^\n]+\n\z`)))
		}
		Expect(filepath.Join(alice.Dir, file)).NotTo(BeAnExistingFile())
	})

	Context("where there is a file", func() {
		const before = "{broken"
		BeforeEach(func() { write(alice, file, before) })

		It("leaves it alone without being told, before anything is asked", func() {
			result := alice.Run(inNamespace()...)
			Expect(result.Code).To(Equal(exit.Refused))
			Expect(result.Err).To(ContainSubstring("replace it with --force"))
			Expect(read(alice, file)).To(Equal(before))
		})

		It("leaves it alone where a person says no", func() {
			result := alice.AtTerminal("n").Run(inNamespace()...)
			Expect(result.Code).To(Equal(exit.Cancelled))
			Expect(read(alice, file)).To(Equal(before))
		})

		It("replaces it where a person or a flag says so, even if it was broken", func() {
			result := alice.AtTerminal("y", "").Run(inNamespace()...)
			Expect(result.Code).To(Equal(exit.OK), result.Err)
			Expect(read(alice, file)).To(MatchJSON(want(named)))
			write(alice, file, before)
			alice.Terminal, alice.Answers = factory.Terminal{}, nil
			Expect(alice.Run(inNamespace("--force")...).Code).To(Equal(exit.OK))
			Expect(read(alice, file)).To(MatchJSON(want(named)))
		})

		It("keeps it where something else fails", func() {
			Expect(alice.Run(inNamespace("--force", "--stack-name", "gone")...).Code).To(Equal(exit.NotFound))
			Expect(read(alice, file)).To(Equal(before))
		})
	})
})
