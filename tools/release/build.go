package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// program is one that was built for a platform.
type program struct {
	platform
	Name string
	// Path is the file, whose base name is what people call it by.
	Path string
	// SBOM is what is in it, as CycloneDX in JSON.
	SBOM []byte
}

// build builds a program of cmd for a platform, unless it is built already, and puts its SBOM into the release.
func (r *release) build(name string, p platform) (program, error) {
	id := fmt.Sprintf("%s_%s_%s", name, p.OS, p.Arch)
	if built, ok := r.programs[id]; ok {
		return built, nil
	}
	built := program{platform: p, Name: name, Path: filepath.Join(r.scratch, id, name)}
	if p.OS == "windows" {
		built.Path += ".exe"
	}
	// Without what Go notes of git, which depends on the tags that a clone has.
	command := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -X main.version="+r.version, "-o", built.Path, "./cmd/"+name)
	command.Dir = r.root
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+p.OS, "GOARCH="+p.Arch)
	if output, err := command.CombinedOutput(); err != nil {
		return program{}, fmt.Errorf("build %s for %s: %w\n%s", name, p, err, output)
	}
	var err error
	if built.SBOM, err = r.materials(built); err != nil {
		return program{}, fmt.Errorf("say what is in %s for %s: %w", name, p, err)
	}
	r.programs[id] = built
	return built, os.WriteFile(filepath.Join(r.out, id+".cdx.json"), built.SBOM, 0o644)
}
