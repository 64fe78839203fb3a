// Command release makes what a release consists of, in a folder:
//
//	release -root ../.. -out ../../dist -version v1.2.3 [-clean] [-platform linux/amd64]... WHAT...
//
// WHAT is one or more of
//
//	archives   sr for every platform, as an archive with its SBOM, and the krew manifests that name them
//	images     the container images of manager and sr, as OCI layouts in images, with their SBOMs
//	chart      the Helm chart, packaged by the helm that -helm names
//	push       the images of the folder, to the registry and path that -repository gives
//	checksums  checksums.txt of the folder's files; archives, images and chart write it, too
//
// The same commit, built by the same Go, gives the same bytes.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/mod/semver"
)

// platform is what Go builds for, and what krew selects by.
type platform struct{ OS, Arch string }

func (p platform) String() string { return p.OS + "/" + p.Arch }

var platforms = []platform{
	{"linux", "amd64"}, {"linux", "arm64"}, {"darwin", "amd64"}, {"darwin", "arm64"}, {"windows", "amd64"},
}

// release is one build of everything.
type release struct {
	root, out, version, repository, helm string
	platforms                            []platform
	source                               source
	// programs are those that are built already.
	programs map[string]program
	scratch  string
	clean    bool
}

var parts = map[string]func(*release) error{
	"archives":  (*release).writeArchives,
	"images":    (*release).writeImages,
	"chart":     (*release).writeChart,
	"push":      (*release).push,
	"checksums": (*release).writeChecksums,
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	r := release{programs: map[string]program{}}
	flags := flag.NewFlagSet("release", flag.ExitOnError)
	flags.StringVar(&r.root, "root", ".", "the repository")
	flags.StringVar(&r.out, "out", "dist", "where everything goes")
	flags.StringVar(&r.version, "version", "", "the release, such as v1.2.3 (required)")
	flags.StringVar(&r.repository, "repository", "", "where images are pushed to, such as ghcr.io/secretreview; an image's name is added")
	flags.StringVar(&r.helm, "helm", "helm", "the program that packages the chart")
	flags.BoolVar(&r.clean, "clean", false, "remove what is in the folder first")
	flags.Func("platform", "build only for this one, such as linux/amd64; may be repeated", func(name string) error {
		at := slices.IndexFunc(platforms, func(p platform) bool { return p.String() == name })
		if at < 0 {
			return errors.New("it is none of those that releases are built for")
		}
		r.platforms = append(r.platforms, platforms[at])
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return err
	}
	if len(r.platforms) == 0 {
		r.platforms = platforms
	}
	if err := r.validate(flags.Args()); err != nil {
		return err
	}
	return r.make(flags.Args())
}

func (r *release) validate(wanted []string) error {
	if semver.Canonical(r.version) != r.version || r.version == "" {
		return fmt.Errorf("the version is %q: give a semantic one such as v1.2.3 or v1.2.3-rc.1 with -version", r.version)
	}
	if len(wanted) == 0 {
		return errors.New("nothing is asked for: name one or more of archives, images, chart, push and checksums")
	}
	for _, name := range wanted {
		if parts[name] == nil {
			return fmt.Errorf("%q is no part of a release: name one or more of archives, images, chart, push and checksums", name)
		}
	}
	if slices.Contains(wanted, "push") != (r.repository != "") {
		return errors.New("push and -repository go together: give both, or neither")
	}
	return nil
}

func (r *release) make(wanted []string) error {
	scratch, err := os.MkdirTemp("", "release-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	r.scratch = scratch
	if r.source, err = readSource(r.root); err != nil {
		return err
	}
	if r.clean {
		if err := os.RemoveAll(r.out); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return err
	}
	for _, name := range wanted {
		if err := parts[name](r); err != nil {
			return fmt.Errorf("%s: %w", strings.TrimSuffix(name, "s"), err)
		}
	}
	return nil
}
