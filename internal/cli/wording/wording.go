// Package wording puts keys into sentences.
package wording

import (
	"fmt"
	"strings"

	"github.com/secretreview/secretreview/internal/document"
)

// maxListed bounds how many keys a sentence names.
const maxListed = 20

// Key shows a key as it is, or quoted and escaped where it is no valid one: a
// live secret may have any text for a key.
func Key(key string) string {
	if document.ValidKey(key) == nil {
		return key
	}
	return document.Quote(key)
}

// Keys lists keys: the first of them, and how many more there are.
func Keys(keys []string) string {
	shown := make([]string, 0, maxListed)
	for _, key := range keys[:min(len(keys), maxListed)] {
		shown = append(shown, Key(key))
	}
	text := strings.Join(shown, ", ")
	if more := len(keys) - len(shown); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// Count counts things: "1 key", "2 keys".
func Count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
