package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// archive is a packed build.
type archive struct {
	platform
	Name, Binary string
	// SHA256 is in hexadecimal digits.
	SHA256 string
}

// writeArchives packs sr for each platform, and writes the krew manifests.
func (r *release) writeArchives() error {
	var archives []archive
	for _, p := range r.platforms {
		built, err := r.build("sr", p)
		if err != nil {
			return err
		}
		a := archive{platform: p, Binary: filepath.Base(built.Path), Name: fmt.Sprintf("sr_%s_%s.tar.gz", p.OS, p.Arch)}
		if p.OS == "windows" {
			a.Name = fmt.Sprintf("sr_%s_%s.zip", p.OS, p.Arch)
		}
		if err := a.pack(filepath.Join(r.out, a.Name), built.Path, filepath.Join(r.root, "LICENSE")); err != nil {
			return err
		}
		archives = append(archives, a)
	}
	if err := r.writeManifests(archives); err != nil {
		return err
	}
	return r.writeChecksums()
}

// packed is when all files of all archives were changed, so that it does not tell when they were built.
var packed = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// pack writes files, of which the first is the program, and notes the archive's checksum.
func (a *archive) pack(path string, files ...string) error {
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { _ = out.Close() }()
	sum := sha256.New()
	write := writeTar
	if strings.HasSuffix(a.Name, ".zip") {
		write = writeZip
	}
	if err := write(io.MultiWriter(out, sum), files); err != nil {
		return fmt.Errorf("pack %s: %w", a.Name, err)
	}
	a.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return out.Close()
}

// mode is a file's mode in an archive.
func mode(i int) int64 {
	if i == 0 {
		return 0o755
	}
	return 0o644
}

func writeTar(out io.Writer, files []string) error {
	compressed := gzip.NewWriter(out)
	archive := tar.NewWriter(compressed)
	for i, path := range files {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		header := &tar.Header{Name: filepath.Base(path), Mode: mode(i), Size: int64(len(content)), ModTime: packed, Format: tar.FormatPAX}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if _, err := archive.Write(content); err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return compressed.Close()
}

func writeZip(out io.Writer, files []string) error {
	archive := zip.NewWriter(out)
	for i, path := range files {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		header := &zip.FileHeader{Name: filepath.Base(path), Method: zip.Deflate, Modified: packed}
		header.SetMode(os.FileMode(mode(i)))
		file, err := archive.CreateHeader(header)
		if err != nil {
			return err
		}
		if _, err := file.Write(content); err != nil {
			return err
		}
	}
	return archive.Close()
}
