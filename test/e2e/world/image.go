package world

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
)

// Image is what others of a process's user, or of its machine, can see of it: by /proc, so on Linux alone.
type Image struct {
	PID  int
	Args []string
	// Env is empty where the process hides it.
	Env []string
	// Files are what it has open, temporary files that are deleted already among them.
	Files map[string][]byte
}

// image is that of a process, without what it was handed itself: its credentials.
func image(pid int, handed ...string) Image {
	ginkgo.GinkgoHelper()
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	i := Image{PID: pid, Files: map[string][]byte{}}
	args, err := os.ReadFile(filepath.Join(dir, "cmdline"))
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	i.Args = strings.Split(strings.TrimSuffix(string(args), "\x00"), "\x00")
	// It is forbidden where the process cannot be dumped and the tests are not run by root.
	if env, err := os.ReadFile(filepath.Join(dir, "environ")); err == nil {
		i.Env = slices.DeleteFunc(strings.Split(strings.TrimSuffix(string(env), "\x00"), "\x00"), func(variable string) bool {
			return slices.Contains(handed, variable)
		})
	}
	open, _ := filepath.Glob(filepath.Join(dir, "fd", "*"))
	for _, file := range open {
		if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
			continue
		}
		target, err := os.Readlink(file)
		if err != nil {
			continue
		}
		if content, err := os.ReadFile(file); err == nil {
			i.Files[target] = content
		}
	}
	return i
}

// look shows everything of it.
func (i Image) look(whose string, look func(place string, content []byte)) {
	look(whose+" arguments", []byte(strings.Join(i.Args, " ")))
	look(whose+" environment", []byte(strings.Join(i.Env, " ")))
	for name, content := range i.Files {
		look(whose+" file "+name, content)
	}
}

// String is all of it but the files' contents.
func (i Image) String() string {
	return fmt.Sprintf("%d %q %q", i.PID, i.Args, i.Env)
}

// Text is all of it, to be searched.
func (i Image) Text() string {
	var all strings.Builder
	i.look("its", func(_ string, content []byte) { all.Write(append(content, '\n')) })
	return all.String()
}

func (m *Manager) image() Image {
	ginkgo.GinkgoHelper()
	return image(m.process.PID(), "AWS_SECRET_ACCESS_KEY="+m.world.Secret("key-of-the-manager"))
}

// Images are those of a running command and of all that it has started, without the person's key in AWS.
func (r *Running) Images() []Image {
	ginkgo.GinkgoHelper()
	return images(r.cmd.Process.Pid, r.shell)
}

// Images are those of the command on the terminal and of all that it has started, without the person's key in AWS.
func (t *Terminal) Images() []Image {
	ginkgo.GinkgoHelper()
	return images(t.cmd.Process.Pid, t.shell)
}

func images(pid int, s *Shell) []Image {
	ginkgo.GinkgoHelper()
	all := []Image{image(pid, s.awsKey())}
	children, err := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "task", "*", "children"))
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	for _, file := range children {
		content, _ := os.ReadFile(file)
		for _, child := range strings.Fields(string(content)) {
			id, err := strconv.Atoi(child)
			gomega.Expect(err).NotTo(gomega.HaveOccurred())
			all = append(all, images(id, s)...)
		}
	}
	return all
}
