package world

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
)

// record is what commands have said that are not there to show values.
type record struct {
	mu    sync.Mutex
	texts map[string]string
}

func (r *record) add(person string, args []string, result Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.texts == nil {
		r.texts = map[string]string{}
	}
	place := fmt.Sprintf("of command %d, %s$ %s", len(r.texts), person, result.Command)
	said := result.Err
	if !showsValues(args) {
		said += result.Out
	}
	r.texts[place] = said
}

// showsValues tells whether a command line asks for values on standard output.
func showsValues(args []string) bool {
	reveals := slices.Contains(args, "--reveal") || slices.Contains(args, "run")
	pulls := slices.Contains(args, "pull") && slices.Contains(args, "-")
	return reveals || pulls || slices.Contains(args, "export")
}

// Search is what a search of the World has looked through, and found.
type Search struct {
	// Found are the places, each with the form that the text had there.
	Found []string
	// Places, Bytes and Forms say how much was looked through, and for how many forms of the text.
	Places, Forms int
	Bytes         int64
}

// Where returns every place in which a text is found that values must not get to, as it is or encoded.
func (w *World) Where(text string) []string {
	ginkgo.GinkgoHelper()
	return w.Search(text).Found
}

// Search looks for a text in every place that values must not get to, as it is or encoded: etcd's files, which also hold what
// was deleted or overwritten and not yet written over; all programs' logs and the audit log; people's homes; the programs'
// temporary files and working directories, where a core would be, and the memory that is a file system; the arguments, the
// environment and the open files of the manager; its metrics; and what commands have said.
func (w *World) Search(text string) Search {
	ginkgo.GinkgoHelper()
	forms := encodings(text)
	s := Search{Forms: len(forms)}
	look := func(place string, content []byte) {
		s.Places++
		s.Bytes += int64(len(content))
		for form, pattern := range forms {
			if bytes.Contains(content, pattern) {
				s.Found = append(s.Found, place+" ("+form+")")
			}
		}
	}
	entries, err := os.ReadDir(w.dir)
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	for _, entry := range entries {
		if !slices.Contains(elsewhere, entry.Name()) {
			w.lookInto(filepath.Join(w.dir, entry.Name()), look)
		}
	}
	lookIntoMemory(look)
	w.Manager.image().look("the manager's", look)
	look("metrics", []byte(w.Manager.Metrics()))
	w.record.mu.Lock()
	defer w.record.mu.Unlock()
	for place, said := range w.record.texts {
		look("output "+place, []byte(said))
	}
	slices.Sort(s.Found)
	return s
}

// elsewhere is what may hold values, or is no more than what was built: people's own directories, and AWS's.
var elsewhere = []string{"shells", "emulator.log", "bin", "panicking"}

func (w *World) lookInto(root string, look func(place string, content []byte)) {
	ginkgo.GinkgoHelper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it was temporary
		}
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		place, err := filepath.Rel(w.dir, path)
		look(place, content)
		return err
	})
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
}

// lookIntoMemory looks into Linux's file system in memory, in which others of this machine have files, too.
func lookIntoMemory(look func(place string, content []byte)) {
	const memory = "/dev/shm"
	_ = filepath.WalkDir(memory, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			if content, err := os.ReadFile(path); err == nil {
				look(path, content)
			}
		}
		return nil
	})
}

// encodings are the forms in which a text of letters, digits and hyphens can hide. Go's %q leaves such a text as it is, as do
// JSON and URLs, which may also escape every character.
func encodings(text string) map[string][]byte {
	forms := map[string][]byte{"as it is": []byte(text)}
	for name, form := range map[string]struct{ each, between string }{
		"in hexadecimal":                  {"%02x", ""},
		"in big hexadecimal":              {"%02X", ""},
		"in hexadecimal with spaces":      {"%02x", " "},
		"in big hexadecimal with spaces":  {"%02X", " "},
		"as bytes of Go":                  {"%d", " "},
		"as numbers of JSON":              {"%d", ","},
		"as bytes of Go's syntax":         {"0x%x", ", "},
		"escaped as in Go":                {`\x%02x`, ""},
		"escaped as in JSON":              {`\u%04x`, ""},
		"escaped as in JSON, big":         {`\u%04X`, ""},
		"escaped as in URLs":              {"%%%02x", ""},
		"escaped as in URLs, big":         {"%%%02X", ""},
		"escaped as in HTML":              {"&#%d;", ""},
		"escaped as in HTML, hexadecimal": {"&#x%x;", ""},
		"in octal":                        {`\%03o`, ""},
		"in UTF-16":                       {"%c", "\x00"},
	} {
		var all []string
		for _, b := range []byte(text) {
			all = append(all, fmt.Sprintf(form.each, b))
		}
		forms[name] = []byte(strings.Join(all, form.between))
	}
	// Within a longer text, base64 looks different for each of three places; the characters at the ends also depend on
	// what is beside it.
	for shift := range 3 {
		encoded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\x00", shift) + text))
		inner := strings.TrimRight(encoded, "=")
		inner = inner[(shift*8+5)/6 : len(inner)-1]
		forms[fmt.Sprintf("in base64 from byte %d", shift)] = []byte(inner)
		forms[fmt.Sprintf("in base64 for URLs from byte %d", shift)] = []byte(strings.NewReplacer("+", "-", "/", "_").Replace(inner))
	}
	return forms
}
