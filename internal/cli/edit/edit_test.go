package edit_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/internal/cli/clitest"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/test/suite"
)

var env *clitest.Env

func TestEdit(t *testing.T) {
	suite.Run(t, "sr edit")
}

var _ = BeforeSuite(func() { env = clitest.Start(GinkgoTB()) })

var _ = Describe("edit", func() {
	var scene *clitest.Scene
	var alice *clitest.Session
	var memory string

	BeforeEach(func() {
		scene = env.NewScene(GinkgoTB(), map[string]string{"A": "1", "B": "two words"})
		alice = scene.As(clitest.Alice)
		memory = GinkgoT().TempDir()
	})
	AfterEach(func() { Expect(os.ReadDir(memory)).To(BeEmpty(), "something is left") })

	// editing has these scripts edit in turn; each gets the file as $1.
	editing := func(scripts ...string) {
		alice.Vars = map[string]string{"XDG_RUNTIME_DIR": memory, "EDITOR": "editor"}
		alice.Alter = func(f *factory.Factory) {
			run := f.Child
			f.Child = func(ctx context.Context, args []string) error {
				Expect(args).To(HaveLen(2))
				Expect(args[0]).To(Equal("editor"))
				Expect(scripts).NotTo(BeEmpty())
				script := scripts[0]
				scripts = scripts[1:]
				return run(ctx, []string{"sh", "-ec", script, "editor", args[1]})
			}
		}
	}
	edit := func(args ...string) clitest.Result {
		return alice.Run(append([]string{"edit", "-p", clitest.Project, "-e", clitest.Production, "-r", "because"}, args...)...)
	}
	expectNothingDone := func(result clitest.Result, code exit.Code, want string) {
		GinkgoHelper()
		Expect(result.Code).To(Equal(code), result.Err)
		Expect(result.Out).To(BeEmpty())
		Expect(result.Err).To(And(ContainSubstring(want), Not(ContainSubstring("canary"))))
		Expect(scene.Changes()).To(BeEmpty())
		Expect(scene.Staged()).To(BeEmpty())
	}

	It("opens what is live for its person alone, and proposes what was changed", func() {
		scene.Emulator.ResetCalls()
		editing(`stat -c %a "$1" "$(dirname "$1")" >modes; cp "$1" opened; sed -i -e s/A=1/A=9/ -e /^B=/d "$1"; echo C=new >>"$1"; touch "$1~"`)
		result := edit()
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(result.Out).To(ContainSubstring("1 added, 1 modified, 1 removed"))
		patch := scene.StagedPatch()
		Expect(clitest.Reveal(patch.Set)).To(Equal(map[string]string{"A": "9", "C": "new"}))
		Expect(patch.Unset).To(Equal([]string{"B"}))
		Expect(string(scene.Changes()[0].Spec.BaseVersionID)).To(Equal(scene.Live()))
		Expect(os.ReadFile(filepath.Join(alice.Dir, "modes"))).To(BeEquivalentTo("600\n700\n"))
		Expect(os.ReadFile(filepath.Join(alice.Dir, "opened"))).To(HaveSuffix("\n\nA=1\nB='two words'\n"))
		Expect(scene.Operations()[:3]).To(Equal([]string{"GetSecretValue", "GetSecretValue", "CreateSecret"}))
	})

	It("says so where nothing was changed, and asks AWS no more", func() {
		scene.Emulator.ResetCalls()
		editing(`echo "# a comment" >>"$1"`)
		result := edit()
		expectNothingDone(result, exit.OK, "No changes: nothing is proposed for backend-api/production.\n")
		Expect(scene.Operations()).To(Equal([]string{"GetSecretValue"}))
	})

	It("opens an environment without a version", func() {
		scene.EmptyLive()
		editing(`echo A=1 >>"$1"`)
		Expect(edit().Code).To(Equal(exit.OK))
		Expect(clitest.Reveal(scene.StagedPatch().Set)).To(Equal(map[string]string{"A": "1"}))
	})

	It("keeps keys that no file can carry", func() {
		scene.SetLive(map[string]string{"A": "1", "not a key": "x"})
		editing(`sed -i s/A=1/A=9/ "$1"`)
		Expect(edit().Err).To(ContainSubstring(`kept as they are: "not a key"`))
		Expect(scene.StagedPatch().Keys()).To(Equal([]string{"A"}))
	})

	Context("while somebody else changes what is live", func() {
		meanwhile := func(values map[string]string) {
			inner := alice.Alter
			alice.Alter = func(f *factory.Factory) {
				inner(f)
				run := f.Child
				f.Child = func(ctx context.Context, args []string) error {
					if values != nil {
						scene.SetLive(values)
						values = nil
					}
					return run(ctx, args)
				}
			}
		}

		It("keeps what they did", func() {
			editing(`sed -i s/A=1/A=9/ "$1"`)
			meanwhile(map[string]string{"A": "1", "B": "theirs", "C": "theirs"})
			result := edit()
			Expect(result.Code).To(Equal(exit.OK), result.Err)
			Expect(result.Err).To(ContainSubstring("changed by others"))
			Expect(clitest.Reveal(scene.StagedPatch().Set)).To(Equal(map[string]string{"A": "9"}))
			Expect(string(scene.Changes()[0].Spec.BaseVersionID)).To(Equal(scene.Live()))
		})

		It("has a person look again at a key that both changed, without losing anything", func() {
			alice.AtTerminal("y")
			editing(`sed -i s/A=1/A=mine/ "$1"`, `cp "$1" second; echo C=more >>"$1"`)
			meanwhile(map[string]string{"A": "theirs", "B": "theirs"})
			result := edit()
			Expect(result.Code).To(Equal(exit.OK), result.Err)
			Expect(result.Err).To(ContainSubstring("somebody else has changed A too"))
			Expect(os.ReadFile(filepath.Join(alice.Dir, "second"))).To(HaveSuffix("\n\nA=mine\nB=theirs\n"))
			Expect(clitest.Reveal(scene.StagedPatch().Set)).To(Equal(map[string]string{"A": "mine", "C": "more"}))
		})

		It("fails where nobody can be asked", func() {
			editing(`sed -i s/A=1/A=canary/ "$1"`)
			meanwhile(map[string]string{"A": "canary-theirs", "B": "x"})
			expectNothingDone(edit(), exit.Conflict, "somebody else has changed A too while you were editing: look at what is live now, and decide; nothing of the edit is kept\n")
		})
	})

	Context("that leaves garbage", func() {
		It("names the line, and fails where nobody can be asked", func() {
			editing(`printf 'A=1\n"canary\n' >"$1"`)
			expectNothingDone(edit(), exit.Failure, "sr: what you have edited, line 2: ")
		})

		It("lets a person edit it again, as they left it", func() {
			alice.AtTerminal("y")
			editing(`printf 'A=9\ncanary\n' >"$1"`, `cp "$1" second; sed -i /canary/d "$1"; echo B=x >>"$1"`)
			result := edit()
			Expect(result.Code).To(Equal(exit.OK), result.Err)
			Expect(result.Questions).To(Equal([]string{"Edit again? Otherwise your edit is lost."}))
			Expect(os.ReadFile(filepath.Join(alice.Dir, "second"))).To(BeEquivalentTo("A=9\ncanary\n"))
			Expect(clitest.Reveal(scene.StagedPatch().Set)).To(Equal(map[string]string{"A": "9", "B": "x"}))
		})

		It("ends when a person says no", func() {
			alice.AtTerminal("n")
			editing(`echo canary >"$1"`)
			expectNothingDone(edit(), exit.Failure, "line 1")
		})

		DescribeTable("and takes it for a mistake", func(script string, code exit.Code, want string) {
			editing(script)
			expectNothingDone(edit(), code, want)
		},
			Entry("an empty file", `: >"$1"`, exit.Refused, "no keys are left"),
			Entry("no file", `rm "$1"`, exit.Failure, "read what the editor has left"),
			Entry("a directory", `rm "$1"; mkdir "$1"; echo canary >"$1/x"`, exit.Failure, "read what the editor has left"),
			Entry("bytes", `head -c 2000000 /dev/zero >"$1"`, exit.Failure, "larger than"),
		)
	})

	It("offers to go on where proposing fails", func() {
		alice.AtTerminal("y")
		editing(`sed -i s/A=1/A=9/ "$1"`, `:`)
		inner := alice.Alter
		alice.Alter = func(f *factory.Factory) {
			inner(f)
			run := f.Child
			failing := true
			f.Child = func(ctx context.Context, args []string) error {
				if failing {
					scene.Emulator.Inject(emulator.Fault{Kind: emulator.FaultDeny, Operations: []string{"CreateSecret"}, Count: 1})
					failing = false
				}
				return run(ctx, args)
			}
		}
		result := edit()
		Expect(result.Code).To(Equal(exit.OK), result.Err)
		Expect(result.Err).To(ContainSubstring("sr: stage the values"))
		Expect(clitest.Reveal(scene.StagedPatch().Set)).To(Equal(map[string]string{"A": "9"}))
	})

	It("proposes nothing where the editor fails", func() {
		editing(`echo A=canary >"$1"; exit 3`)
		expectNothingDone(edit(), exit.Failure, `sr: the editor "editor" failed (exit status 3): nothing is proposed, and nothing of the edit is kept`+"\n")
	})

	It("says that there is no such editor", func() {
		alice.Vars = map[string]string{"XDG_RUNTIME_DIR": memory, "EDITOR": "/no/such/editor"}
		expectNothingDone(edit(), exit.Usage, `the editor "/no/such/editor" cannot be started`)
	})

	It("leaves nothing where it panics", func() {
		editing(`:`)
		alice.Alter = func(f *factory.Factory) {
			f.Child = func(context.Context, []string) error { panic("the editor's fault") }
		}
		Expect(func() { edit() }).To(PanicWith("the editor's fault"))
	})

	It("leaves nothing where it is interrupted", func() {
		var press context.CancelFunc
		alice.Context = func() context.Context {
			var ctx context.Context
			ctx, press = context.WithCancel(context.Background())
			return ctx
		}
		alice.Vars = map[string]string{"XDG_RUNTIME_DIR": memory, "EDITOR": "editor"}
		alice.Alter = func(f *factory.Factory) {
			f.Child = func(ctx context.Context, args []string) error {
				Expect(os.WriteFile(args[1]+".swp", []byte("canary"), 0o600)).To(Succeed())
				press()
				<-ctx.Done()
				return errors.New("signal: terminated")
			}
		}
		expectNothingDone(edit(), exit.Cancelled, "sr: cancelled\n")
	})

	DescribeTable("opens no editor in vain", func(spoil func(), code exit.Code, want string, args ...string) {
		editing()
		spoil()
		expectNothingDone(edit(args...), code, want)
	},
		Entry("for who may not propose", func() {
			alice.User = clitest.Bob
		}, exit.Denied, "you may not propose changes to"),
		Entry("without a reason", func() {}, exit.Usage, "no reason is given", "-r", ""),
		Entry("where values cannot be read", func() {
			scene.Emulator.Inject(emulator.Fault{Kind: emulator.FaultDeny})
		}, exit.Denied, "read what is live"),
	)
})
