package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/test/cluster"
	"github.com/secretreview/secretreview/test/e2e/world"
)

// What examples call things that have other names here.
const (
	exampleProject = "backend-api"
	exampleChange  = "backend-api-production-x7k2p"
	exampleVersion = "7f07b8e6-b368-4559-8d5a-3bf3bf625b46"
	exampleRegion  = "eu-central-1"
	// exampleNamespace stands for the team's own.
	exampleNamespace = "demo"
)

// answer is typed once the screen shows a prompt, which is a regular expression.
type answer struct{ prompt, line string }

// played says how examples are played that need more than to be typed; the first that matches the line counts.
type played struct {
	line string
	// who is Alice if nobody is named.
	who     string
	answers []answer
	// piped says that standard output is no terminal. code is how it ends.
	piped bool
	code  int
}

const interrupt = "\x03"

var plays = []played{
	{line: `^sr audit `, who: "ada"},
	{line: `^sr approve .*-y`, who: world.Bob},
	{line: `^sr approve `, who: world.Bob, answers: []answer{{`Approve this change\?`, "y"}}},
	{line: `^sr reject --latest`, answers: []answer{{`Withdraw this change\?`, "y"}, {`Why\?`, ""}}},
	{line: `^sr reject `, who: world.Bob, answers: []answer{{`Reject this change\?`, "y"}}},
	{line: `^sr review .*--json`, who: world.Bob},
	{line: `^sr review `, who: world.Bob, answers: []answer{{`Enter leaves it as it is`, ""}}},
	{line: `^sr (rollback|restore) .*--dry-run`, who: "rob"},
	{line: `^sr (rollback|restore) `, who: "rob", answers: []answer{{`now\?`, "y"}}},
	{line: `^sr set DB_PASSWORD `, answers: []answer{{`Value of DB_PASSWORD`, "typed"}}},
	{line: `--set DB_URL `, answers: []answer{{`Value of DB_URL`, "typed"}}},
	{line: `^sr diff`, code: 1},
	{line: `^sr watch$`, answers: []answer{{`Ctrl-C|Watching|\n`, interrupt}}, code: 130},
	{line: `^sr watch .*while read`, answers: []answer{{`notified`, interrupt}}, code: 130},
	{line: `--format github`, piped: true},
	{line: `^sr check changes`, who: world.Bob},
	{line: `^sr configure$`, who: "conrad", answers: []answer{
		{`:`, ""}, {`:`, ""}, {`:`, ""}, {`:`, ""}, {`:`, ""}, {`:`, ""},
	}},
	{line: `^sr configure`, who: "conrad"},
	{line: `^sr init$`, who: "ina", answers: []answer{{`Namespace`, exampleNamespace}, {`Number or name`, "dev"}, {`CloudFormation stack`, ""}}},
	{line: `^sr init`, who: "ina"},
}

// others are programs that examples speak to. What they do here is enough for the example to go on.
var others = map[string]string{
	"npm": "exit 0", "docker": "exit 0", "jq": "cat >/dev/null", "notify": "echo notified",
	"vault-export": "echo from-the-vault",
	"code":         `echo EDITED=yes >> "$2"`, "vi": `echo EDITED=yes >> "$1"`,
}

var _ = Describe("The examples of", Ordered, ContinueOnFailure, func() {
	var team *world.Team
	values := func(more ...string) map[string]string {
		all := map[string]string{}
		for _, key := range append([]string{"DB_URL", "DB_HOST", "DB_PASSWORD", "LOG_LEVEL", "OLD_TOKEN", "OLD_URL"}, more...) {
			all[key] = w.Secret(strings.ToLower(key))
		}
		return all
	}
	BeforeAll(func() {
		team = w.NewTeam(world.Options{
			Project: exampleProject, Live: values(), Proposers: []string{world.Alice, "conrad", "ina"}, Rollbackers: []string{"rob"}, Auditors: []string{"ada"},
			Prepare: func(t *world.Team) {
				t.CreateLive("dev", values("SESSION_KEY"))
				t.CreateLive("staging", values())
			},
			Policy: func(p *v1alpha1.SecretProjectSpec) {
				p.Environments = append(p.Environments, v1alpha1.Environment{Name: "dev"}, v1alpha1.Environment{Name: "staging"})
			},
		})
	})
	BeforeEach(func() {
		w.AWS.SetStacks(emulator.Stack{Name: world.Stack, Outputs: map[string]string{
			"SecretPrefix": naming.DefaultPrefix, "Region": world.Region,
		}})
		DeferCleanup(func() { w.AWS.SetStacks() })
	})
	pending := func(args ...string) string {
		GinkgoHelper()
		name := team.As(world.Alice).Propose(args...)
		team.Await(name, v1alpha1.PhasePending)
		return name
	}
	applied := func(args ...string) string {
		GinkgoHelper()
		name := pending(args...)
		Expect(team.As(world.Bob).SR("approve", name, "-y")).To(end(0))
		team.AwaitReady()
		return name
	}
	// change makes one as the examples of a command mean it.
	change := func(command, line string) string {
		GinkgoHelper()
		switch command {
		case "rollback":
			return applied("--set", "DB_PASSWORD="+w.Secret(line))
		case "restore":
			name := applied("--set", "DB_PASSWORD="+w.Secret(line))
			applied("--set", "LATER="+w.Secret(line))
			return name
		case "rebase":
			name := pending("--set", "DB_PASSWORD="+w.Secret("mine"), "--set", "LOG_LEVEL="+w.Secret("mine"), "--set", "NEW="+w.Secret("mine"))
			others := []string{"--set", "OTHER=" + w.Secret(line)}
			if strings.Contains(line, "--ours") {
				others = []string{"--set", "DB_PASSWORD=" + w.Secret(line), "--set", "LOG_LEVEL=" + w.Secret(line)}
			}
			applied(others...)
			team.Await(name, v1alpha1.PhaseConflicted)
			return name
		default:
			return pending("--set", "LOG_LEVEL="+w.Secret(line))
		}
	}
	// shell is a person's in a folder that has what examples mention.
	shell := func(who, command string) *world.Shell {
		GinkgoHelper()
		s := team.As(who)
		if command == "init" {
			s = team.Person(who).Shell()
		}
		file := "DB_URL=" + w.Secret("file") + "\nLOG_LEVEL=debug\n"
		if command != "pull" {
			s.Write(".env", file+"DB_HOST=x\nDB_PASSWORD=x\nOLD_TOKEN=x\nOLD_URL=x\nLATER=x\nOTHER=x\n")
		}
		s.Write("prod.env", file)
		s.Write("key.pem", w.Secret("key"))
		s.Write("values.yaml", "DB_URL: "+w.Secret("yaml")+"\n")
		s.Write("github.env", "")
		s.Write("history.jsonl", "")
		for _, folder := range []string{"changes", "bin"} {
			Expect(os.Mkdir(filepath.Join(s.Dir, folder), 0o700)).To(Succeed())
		}
		if command == "check" {
			s.Write("changes/a.yaml", team.As(world.Alice).SR("propose", "-r", "because", "--set", "LOG_LEVEL="+w.Secret("check"), "-o", "yaml").Out)
		}
		for name, script := range others {
			path := filepath.Join(s.Dir, "bin", name)
			s.Write(path[len(s.Dir)+1:], "#!/bin/sh\n"+script+"\n")
			Expect(os.Chmod(path, 0o700)).To(Succeed()) //nolint:gosec // A program.
		}
		return s.With("GITHUB_ENV="+filepath.Join(s.Dir, "github.env"), "PATH="+filepath.Join(s.Dir, "bin")+":"+w.Path())
	}
	play := func(command, line string) {
		GinkgoHelper()
		p := played{who: world.Alice}
		for _, known := range plays {
			if regexp.MustCompile(known.line).MatchString(line) {
				p = known
				break
			}
		}
		if p.who == "" {
			p.who = world.Alice
		}
		name := ""
		if strings.Contains(line, exampleChange) || strings.Contains(line, "--latest") || command == "watch" {
			name = change(command, line)
			line = strings.ReplaceAll(line, exampleChange, name)
		}
		if strings.Contains(line, exampleVersion) {
			change("restore", line)
			line = strings.ReplaceAll(line, exampleVersion, team.ProjectStatus().Environments[0].Versions[1].VersionID)
		}
		line = strings.NewReplacer(exampleRegion, world.Region, "-n demo", "-n "+team.Namespace, "--namespace demo", "--namespace "+team.Namespace).Replace(line)
		By(p.who + "$ " + line)
		s := shell(p.who, command)
		if p.piped {
			// What it prints is for a runner alone.
			Expect(s.Run("/bin/sh", "-c", "{ "+line+"; echo $? >code; } | cat >/dev/null; exit $(cat code)")).To(end(p.code))
			return
		}
		// The shell is to tell how the program ended, also after Ctrl-C.
		terminal := s.Terminal("/bin/sh", "-c", "trap : INT; "+line)
		for _, a := range p.answers {
			terminal.Type(a.prompt, strings.ReplaceAll(a.line, exampleNamespace, team.Namespace))
		}
		screen, code := terminal.Wait()
		Expect(code).To(Equal(p.code), screen)
		if strings.Contains(line, "--no-wait") {
			team.Await(name, v1alpha1.PhaseApplied)
		}
	}

	for command, lines := range examples() {
		It("sr "+command+" do what they say", func() {
			for _, line := range lines {
				play(command, line)
			}
		})
	}
})

// examples are the lines of docs/cli.md that are to be typed, by command.
func examples() map[string][]string {
	root, err := cluster.RepositoryRoot()
	if err != nil {
		panic(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs", "cli.md"))
	if err != nil {
		panic(err)
	}
	found := map[string][]string{}
	sections := regexp.MustCompile(`(?m)^## sr (\S+)$`).FindAllStringSubmatchIndex(string(page), -1)
	for i, at := range sections {
		end := len(page)
		if i+1 < len(sections) {
			end = sections[i+1][0]
		}
		command := string(page[at[2]:at[3]])
		_, block, has := strings.Cut(string(page[at[1]:end]), "```console\n")
		if !has {
			continue
		}
		block, _, _ = strings.Cut(block, "```")
		for line := range strings.Lines(block) {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				found[command] = append(found[command], line)
			}
		}
	}
	return found
}
