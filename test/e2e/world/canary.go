package world

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
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
	reveals := slices.Contains(args, "--reveal")
	pulls := slices.Contains(args, "pull") && slices.Contains(args, "-")
	return reveals || pulls || slices.Contains(args, "export")
}

// Where returns every place in which a text is found that values must not get to, as it is or encoded: etcd's files,
// all programs' logs, the audit log, people's homes, the programs' temporary files, the manager's metrics, and what
// commands have said.
func (w *World) Where(text string) []string {
	ginkgo.GinkgoHelper()
	forms := encodings(text)
	var found []string
	look := func(place string, content []byte) {
		for form, pattern := range forms {
			if bytes.Contains(content, pattern) {
				found = append(found, place+" ("+form+")")
			}
		}
	}
	for _, root := range []string{w.Cluster.EtcdDataDir(), w.Cluster.AuditLogFile(), w.tempDir(), w.file("people"), w.file("logs")} {
		w.lookInto(root, look)
	}
	for _, file := range w.Cluster.LogFiles() {
		w.lookInto(file, look)
	}
	look("metrics", []byte(w.Manager.Metrics()))
	w.record.mu.Lock()
	defer w.record.mu.Unlock()
	for place, said := range w.record.texts {
		look("output "+place, []byte(said))
	}
	slices.Sort(found)
	return found
}

func (w *World) lookInto(root string, look func(place string, content []byte)) {
	ginkgo.GinkgoHelper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		place, err := filepath.Rel(w.dir, path)
		look(place, content)
		return err
	})
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
}

// encodings are the forms that a text of letters, digits and hyphens can hide in. JSON, URLs and Go's %q leave such a
// text as it is.
func encodings(text string) map[string][]byte {
	forms := map[string][]byte{
		"as it is":           []byte(text),
		"in hexadecimal":     []byte(hex.EncodeToString([]byte(text))),
		"in big hexadecimal": []byte(strings.ToUpper(hex.EncodeToString([]byte(text)))),
		"as bytes of Go":     []byte(strings.Trim(fmt.Sprintf("%d", []byte(text)), "[]")),
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
