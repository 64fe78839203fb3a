package main

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// writeChart packages the chart. Helm keeps the times of files, so it gets a copy whose files are as old as the commit.
func (r *release) writeChart() error {
	chart := filepath.Join(r.scratch, "secretreview")
	if err := os.CopyFS(chart, os.DirFS(filepath.Join(r.root, "charts", "secretreview"))); err != nil {
		return err
	}
	err := filepath.WalkDir(chart, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chtimes(path, r.source.committed, r.source.committed)
	})
	if err != nil {
		return err
	}
	output, err := exec.Command(r.helm, "package", chart,
		"--version", strings.TrimPrefix(r.version, "v"), "--app-version", r.version, "--destination", r.out).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, output)
	}
	return r.writeChecksums()
}
