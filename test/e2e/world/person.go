package world

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"github.com/secretreview/secretreview/test/cluster"
)

// Admin may do anything that admission lets through, and anything in AWS.
const Admin = "admin"

// Person is somebody with credentials and a home of their own. Their access key in AWS is as good as their name.
type Person struct {
	Name string

	world *World
	home  string
}

// Person returns somebody, who is made when first asked for.
func (w *World) Person(name string) *Person {
	ginkgo.GinkgoHelper()
	if known := w.people[name]; known != nil {
		return known
	}
	config := w.Cluster.UserConfig(name)
	if name == Admin {
		config = w.Cluster.AdminConfig()
	}
	p := &Person{Name: name, world: w, home: filepath.Join(w.file("people"), keyOf(name))}
	gomega.Expect(os.Mkdir(p.home, 0o700)).To(gomega.Succeed())
	gomega.Expect(w.Cluster.WriteKubeconfig(p.kubeconfig(), cluster.Context{Name: p.key(), Config: config})).To(gomega.Succeed())
	w.people[name] = p
	return p
}

func (p *Person) kubeconfig() string { return p.home + ".kubeconfig" }

// key is the access key in AWS. A user name may have characters that a key cannot.
func (p *Person) key() string { return keyOf(p.Name) }

func keyOf(name string) string { return strings.NewReplacer("/", "-", ":", "-").Replace(name) }

// Shell is a Person in a directory.
type Shell struct {
	*Person
	Dir string
	// Env is added to the Person's environment.
	Env []string
}

// Shell returns a Shell in an empty directory.
func (p *Person) Shell() *Shell {
	ginkgo.GinkgoHelper()
	dir, err := os.MkdirTemp(p.world.shellsDir(), "")
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	return &Shell{Person: p, Dir: dir}
}

// With returns the same Shell with more variables, as "NAME=value".
func (s *Shell) With(variables ...string) *Shell {
	added := *s
	added.Env = append(append([]string{}, s.Env...), variables...)
	return &added
}

// WithToken returns a Shell whose kubeconfig has a bearer token alone.
func (s *Shell) WithToken(token string) *Shell {
	ginkgo.GinkgoHelper()
	config := s.world.Cluster.AnonymousConfig()
	config.BearerToken = token
	path := filepath.Join(s.Dir, "kubeconfig")
	gomega.Expect(s.world.Cluster.WriteKubeconfig(path, cluster.Context{Name: "token", Config: config})).To(gomega.Succeed())
	return s.With("KUBECONFIG=" + path)
}

// Write writes a file, readable by its owner alone.
func (s *Shell) Write(name, content string) {
	ginkgo.GinkgoHelper()
	gomega.Expect(os.WriteFile(filepath.Join(s.Dir, name), []byte(content), 0o600)).To(gomega.Succeed())
}

// Read reads a file.
func (s *Shell) Read(name string) string {
	ginkgo.GinkgoHelper()
	content, err := os.ReadFile(filepath.Join(s.Dir, name))
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	return string(content)
}

// environment does not pass on the variables of whoever runs the tests.
func (s *Shell) environment() []string {
	return append(append(s.world.environment(),
		"HOME="+s.home,
		"KUBECONFIG="+s.kubeconfig(),
		"AWS_ACCESS_KEY_ID="+s.key(),
		s.awsKey(),
	), s.Env...)
}

// awsKey is the variable of the secret key in AWS.
func (s *Shell) awsKey() string { return "AWS_SECRET_ACCESS_KEY=" + s.world.Secret("key-of-"+s.Name) }

// Result is what a command did.
type Result struct {
	// Command is the command line as typed, without what was in it after "=".
	Command  string
	Out, Err string
	Code     int
}

// Run runs a program that reads nothing.
func (s *Shell) Run(program string, args ...string) Result {
	ginkgo.GinkgoHelper()
	return s.Feed("", program, args...)
}

// Feed runs a program that reads input, and records what it says.
func (s *Shell) Feed(input, program string, args ...string) Result {
	ginkgo.GinkgoHelper()
	return s.begin(input, program, args...).Wait()
}

// SR runs sr.
func (s *Shell) SR(args ...string) Result {
	ginkgo.GinkgoHelper()
	return s.Run("sr", args...)
}

// Kubectl runs kubectl.
func (s *Shell) Kubectl(args ...string) Result {
	ginkgo.GinkgoHelper()
	return s.Run("kubectl", args...)
}

// Running is a command that goes on while the spec does.
type Running struct {
	shell    *Shell
	program  string
	args     []string
	cmd      *exec.Cmd
	out, err bytes.Buffer
	cancel   context.CancelFunc
	ended    chan error
}

// Begin starts a program and does not wait for its end.
func (s *Shell) Begin(program string, args ...string) *Running {
	ginkgo.GinkgoHelper()
	return s.begin("", program, args...)
}

func (s *Shell) begin(input, program string, args ...string) *Running {
	ginkgo.GinkgoHelper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	r := &Running{shell: s, program: program, args: args, cancel: cancel, ended: make(chan error, 1)}
	r.cmd = exec.CommandContext(ctx, s.world.program(program), args...)
	r.cmd.Dir, r.cmd.Env = s.Dir, s.environment()
	r.cmd.Stdin = strings.NewReader(input)
	r.cmd.Stdout, r.cmd.Stderr = &r.out, &r.err
	gomega.Expect(r.cmd.Start()).To(gomega.Succeed())
	go func() { r.ended <- r.cmd.Wait() }()
	return r
}

// Interrupt presses Ctrl-C.
func (r *Running) Interrupt() {
	ginkgo.GinkgoHelper()
	r.Signal(os.Interrupt)
}

// Signal sends a signal to the program alone.
func (r *Running) Signal(signal os.Signal) {
	ginkgo.GinkgoHelper()
	gomega.Expect(r.cmd.Process.Signal(signal)).To(gomega.Succeed())
}

// Kill kills the program, and waits until nobody has its streams open.
func (r *Running) Kill() {
	ginkgo.GinkgoHelper()
	r.Signal(os.Kill)
	gomega.Expect(<-r.ended).To(gomega.HaveOccurred())
	r.cancel()
}

// Wait waits for the program's end, by itself.
func (r *Running) Wait() Result {
	ginkgo.GinkgoHelper()
	result := r.Died()
	gomega.Expect(r.cmd.ProcessState.Exited()).To(gomega.BeTrue(), "%s did not end by itself: %v\n%s", result.Command, r.cmd.ProcessState, result.Err)
	return result
}

// Status is how the program has ended.
func (r *Running) Status() syscall.WaitStatus {
	status, _ := r.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return status
}

// Died waits for the program's end, whatever ends it.
func (r *Running) Died() Result {
	ginkgo.GinkgoHelper()
	err := <-r.ended
	r.cancel()
	result := Result{Command: commandLine(r.program, r.args), Out: r.out.String(), Err: r.err.String(), Code: r.cmd.ProcessState.ExitCode()}
	var exited *exec.ExitError
	if err != nil {
		gomega.Expect(errors.As(err, &exited)).To(gomega.BeTrue(), "%s: %v", result.Command, err)
	}
	r.shell.world.record.add(r.shell.Name, r.args, result)
	return result
}

// commandLine leaves out the values of --set.
func commandLine(program string, args []string) string {
	shown := []string{program}
	for i, arg := range args {
		if i > 0 && args[i-1] == "--set" {
			arg, _, _ = strings.Cut(arg, "=")
		}
		shown = append(shown, arg)
	}
	return strings.Join(shown, " ")
}
