// Package krew_test packs sr as a release does, and lets krew itself install it.
package krew_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/secretreview/secretreview/test/cluster"
)

const release = "v1.2.3"

// user is somebody who has krew, kubectl and nothing else.
type user struct {
	home, krew string
	env        []string
}

func newUser(t *testing.T) user {
	t.Helper()
	binaries, err := cluster.FindBinaries("")
	if err != nil {
		t.Fatal(err)
	}
	bin, err := cluster.BinDir()
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	plugins := filepath.Join(home, "krew", "bin")
	path := strings.Join([]string{plugins, filepath.Dir(binaries.Kubectl), os.Getenv("PATH")}, string(os.PathListSeparator))
	return user{home: home, krew: filepath.Join(bin, "krew"), env: []string{
		"HOME=" + home, "KREW_ROOT=" + filepath.Join(home, "krew"), "PATH=" + path, "KUBECONFIG=" + filepath.Join(home, "none"),
	}}
}

func (u user) run(t *testing.T, name string, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), name, args...)
	command.Env, command.Dir = u.env, u.home
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, output)
	}
	return string(output)
}

// pack packs sr for this machine, and returns the folder.
func pack(t *testing.T) string {
	t.Helper()
	root, err := cluster.RepositoryRoot()
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	command := exec.CommandContext(t.Context(), "go", "run", ".", "-root", root, "-out", out,
		"-version", release, "-platform", runtime.GOOS+"/"+runtime.GOARCH, "archives")
	command.Dir = filepath.Join(root, "tools", "release")
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return out
}

func TestKrewInstallsTheRelease(t *testing.T) {
	packed := pack(t)
	archive := filepath.Join(packed, "sr_"+runtime.GOOS+"_"+runtime.GOARCH+".tar.gz")
	for plugin, link := range map[string]string{"sr": "sr", "secret-review": "secret_review"} {
		t.Run(plugin, func(t *testing.T) {
			u := newUser(t)
			u.run(t, u.krew, "install", "--manifest="+filepath.Join(packed, plugin+".krew.yaml"), "--archive="+archive)

			kubectl := func(args ...string) string { return u.run(t, "kubectl", args...) }
			if got, want := kubectl(plugin, "--version"), "kubectl "+plugin+" "+release+"\n"; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			if got := kubectl(plugin, "propose", "--help"); !strings.Contains(got, "kubectl "+plugin+" propose -r") {
				t.Errorf("help does not say how to call it:\n%s", got)
			}
			// What the manifest's caveats say.
			bin := filepath.Join(u.home, "krew", "bin")
			if err := os.Symlink("kubectl-"+link, filepath.Join(bin, "kubectl_complete-"+link)); err != nil {
				t.Fatal(err)
			}
			if got := kubectl("__complete", plugin, "pro"); !strings.Contains(got, "\npropose\t") {
				t.Errorf("completed to %q", got)
			}
		})
	}
}

// TestPackingGivesTheSameBytes is what lets others check a release.
func TestPackingGivesTheSameBytes(t *testing.T) {
	checksums := func() string {
		content, err := os.ReadFile(filepath.Join(pack(t), "checksums.txt"))
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	if first, second := checksums(), checksums(); first != second || first == "" {
		t.Errorf("got %q and %q", first, second)
	}
}
