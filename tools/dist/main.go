// Command dist builds sr for every platform, packs each build into an archive as releases carry it, and writes the
// archives' checksums and the krew manifests that name them:
//
//	dist -root .. -out ../dist -version v1.2.3 [-platform linux/amd64]...
//
// The same input gives the same bytes.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// platform is what Go builds for, and what krew selects by.
type platform struct{ OS, Arch string }

var platforms = []platform{
	{"linux", "amd64"}, {"linux", "arm64"}, {"darwin", "amd64"}, {"darwin", "arm64"}, {"windows", "amd64"},
}

// release is one build of everything.
type release struct {
	root, out, version string
	archives           []archive
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "dist:", err)
		os.Exit(1)
	}
}

func run() error {
	var r release
	wanted := platforms
	flag.StringVar(&r.root, "root", ".", "the repository")
	flag.StringVar(&r.out, "out", "dist", "where the archives go")
	flag.StringVar(&r.version, "version", "", "the release, such as v1.2.3 (required)")
	flag.Func("platform", "build only for this one, such as linux/amd64; may be repeated", func(name string) error {
		at := slices.IndexFunc(platforms, func(p platform) bool { return p.OS+"/"+p.Arch == name })
		if at < 0 {
			return errors.New("it is none of those that releases are built for")
		}
		if len(wanted) == len(platforms) {
			wanted = nil
		}
		wanted = append(wanted, platforms[at])
		return nil
	})
	flag.Parse()
	if !strings.HasPrefix(r.version, "v") {
		return fmt.Errorf("the version is %q: give one such as v1.2.3 with -version", r.version)
	}
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return err
	}
	for _, p := range wanted {
		if err := r.build(p); err != nil {
			return fmt.Errorf("build for %s/%s: %w", p.OS, p.Arch, err)
		}
	}
	if err := r.writeChecksums(); err != nil {
		return err
	}
	return r.writeManifests()
}

// build builds sr for a platform and packs it.
func (r *release) build(p platform) error {
	folder, err := os.MkdirTemp("", "dist-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	a := archive{platform: p, Binary: "sr", Name: fmt.Sprintf("sr_%s_%s.tar.gz", p.OS, p.Arch)}
	if p.OS == "windows" {
		a.Binary, a.Name = "sr.exe", fmt.Sprintf("sr_%s_%s.zip", p.OS, p.Arch)
	}
	binary := filepath.Join(folder, a.Binary)
	command := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w -X main.version="+r.version, "-o", binary, "./cmd/sr")
	command.Dir = r.root
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+p.OS, "GOARCH="+p.Arch)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, output)
	}
	if err := a.pack(filepath.Join(r.out, a.Name), binary, filepath.Join(r.root, "LICENSE")); err != nil {
		return err
	}
	r.archives = append(r.archives, a)
	return nil
}
