package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/test/e2e/world"
)

var _ = Describe("Must not happen: values in what a command says that was not asked for them", func() {
	It("whichever command, in whichever format, where it works and where AWS or the cluster does not", func() {
		const rob = "rob"
		team := w.NewTeam(world.Options{Live: map[string]string{"A": w.Secret("a"), "B": w.Secret("b\nb")}, Rollbackers: []string{rob}})
		alice, bob, robs := team.As(world.Alice), team.As(world.Bob), team.As(rob)
		alice.Write("value", w.Secret("from-file"))
		alice.Write("values.json", `{"A":"`+w.Secret("json")+`"}`)
		alice.Write("values.yaml", `A: `+w.Secret("yaml"))
		alice.Write("bad.json", `{"A":`+w.Secret("bare"))
		alice.Write("bad.yaml", "A: {\n"+w.Secret("open"))
		script := filepath.Join(alice.Dir, "editor")
		alice.Write("editor", "#!/bin/sh -e\nsed -i s/-a/-edited/ \"$1\"\n")
		Expect(os.Chmod(script, 0o700)).To(Succeed()) //nolint:gosec // It is to be run.
		Expect(alice.SR("pull")).To(end(0))

		By("having one change in each phase")
		applied := alice.Propose("--set", "A=@value")
		team.Await(applied, v1alpha1.PhasePending)
		Expect(bob.SR("approve", applied, "-y", "--json")).To(end(0))
		rejected := alice.Propose("--set", "B=@value")
		team.Await(rejected, v1alpha1.PhasePending)
		Expect(bob.SR("reject", rejected, "-y", "--json")).To(end(0))
		conflicted := alice.Propose("--set", "C=@value")
		team.Await(conflicted, v1alpha1.PhasePending)
		team.SetLive(world.Production, map[string]string{"A": w.Secret("by-hand"), "C": w.Secret("by-hand")})
		team.Await(conflicted, v1alpha1.PhaseConflicted)
		pending := alice.Propose("--set", "A=@value")
		team.Await(pending, v1alpha1.PhasePending)
		manifest := alice.SR("propose", "-r", "because", "--set", "A=@value", "-o", "yaml")
		Expect(manifest).To(end(0))
		alice.Write("change.yaml", manifest.Out)
		alice.Write("leak.yaml", strings.Replace(manifest.Out, "reason: because", "reason: password="+w.Secret("leaked"), 1))

		commands := map[*world.Shell][][]string{
			alice.With("EDITOR=" + script): {
				{"pull", "-o", "again.env"}, {"propose", "-r", "x", "-f", ".env", "--prune", "--dry-run"},
				{"set", "A=@value", "-r", "x", "--dry-run"}, {"unset", "A", "-r", "x", "--dry-run"}, {"edit", "-r", "x", "--dry-run"}, {"generate", "D", "-r", "x", "--dry-run"},
				{"import", "--format", "json", "-f", "values.json", "-r", "x", "--dry-run"}, {"import", "--format", "yaml", "-f", "values.yaml", "-r", "x", "--dry-run"},
				{"import", "--format", "json", "-f", "bad.json", "-r", "x"}, {"import", "--format", "yaml", "-f", "bad.yaml", "-r", "x"},
				{"import", "--format", "docker", "-f", "bad.json", "-r", "x"}, {"import", "--format", "dotenv", "-f", "bad.yaml", "-r", "x"},
				{"set", "A=@value", "-r", "x", "-o", "json"}, {"set", "A=@value", "-r", "x", "-o", "yaml"}, {"unset", "A", "-r", "x", "-o", "json"},
				{"rebase", conflicted}, {"rebase", conflicted, "--ours", "C", "--dry-run"}, {"rebase", conflicted, "--ours", "C", "-o", "yaml"},
				{"check", "-f", "leak.yaml"}, {"check", "-f", "leak.yaml", "-o", "json"}, {"check", "-f", "leak.yaml", "-o", "markdown"}, {"check", "-f", "leak.yaml", "-o", "github"},
				{"check", "leak.yaml"}, {"check", "leak.yaml", "-o", "json"}, {"check", "leak.yaml", "-o", "markdown"}, {"check", "leak.yaml", "-o", "github"},
				{"diff"}, {"diff", "production", "production"}, {"export", "--format", "json", "-f", "exported"}, {"run", "--", "true"},
				{"login"}, {"login", "-o", "json"}, {"init", "--force", "-n", team.Namespace, "-p", team.Project, "-e", world.Production}, {"configure", "--default-env", world.Production},
				{"completion", "bash"}, {"help"}, {"__complete", "set", ""}, {"__complete", "review", ""},
			},
			bob: {
				{"review", pending, "-y"}, {"review", pending, "--json"}, {"review", pending, "--json", "--show-all"}, {"review", applied, "-y"}, {"review", conflicted, "-y"},
				{"status"}, {"status", pending, "-o", "wide"}, {"status", "-o", "json"}, {"status", "-o", "yaml"}, {"status", "-o", "name"}, {"status", "-o", "jsonpath={.items}"},
				{"history"}, {"history", "-o", "wide"}, {"history", "-o", "json"}, {"history", "-o", "yaml"}, {"history", "-o", "go-template={{.}}"},
				{"versions"}, {"versions", "-o", "wide"}, {"versions", "-o", "json"},
				{"audit", "verify"}, {"audit", "verify", "-o", "json"}, {"audit", "export"}, {"approve", applied, "-y"}, {"reject", rejected, "-y"},
			},
			robs: {
				{"rollback", applied, "-r", "x", "--dry-run"}, {"rollback", applied, "-r", "x", "--dry-run", "--json"},
				{"restore", "--to", applied, "-r", "x", "--dry-run"}, {"restore", "--to", applied, "-r", "x", "--dry-run", "--json"},
			},
		}
		ran := map[string]bool{"watch": true} // which ends by Ctrl-C: see Daily work
		count := 0
		all := func() {
			for shell, lines := range commands {
				for _, args := range lines {
					said := shell.SR(args...)
					Expect(said.Out+said.Err).NotTo(ContainSubstring(w.Mark), said.Command)
					ran[args[0]] = true
					count++
				}
			}
		}

		By("as they are")
		all()
		for _, found := range regexp.MustCompile(`(?m)^  ([a-z]+)  +[A-Z]`).FindAllStringSubmatch(alice.SR("--help").Out, -1) {
			Expect(ran).To(HaveKey(found[1]), "each command that help lists is tried")
		}
		By("while AWS refuses in words of its own")
		mend := w.AWS.Fail(emulator.Fault{Kind: emulator.FaultError, Code: "InvalidParameterException", Operations: []string{"GetSecretValue", "CreateSecret"}, Secret: "*" + team.Project + "*"})
		all()
		mend()
		fmt.Printf("\nREPORT: %d commands said no value\n", count)
		Expect(w.Where(w.Mark)).To(BeEmpty())
	})
})
