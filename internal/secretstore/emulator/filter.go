package emulator

import (
	"slices"
	"strings"
	"unicode"
)

// filter is one condition of ListSecrets; several all have to hold. A value
// that begins with ! is a condition that must not hold.
type filter struct {
	Key    string
	Values []string
}

// filterKeys tells, for each key, whether a secret matches a value, as the API
// reference describes it and as was recorded: names and tags by a prefix, case
// and all; descriptions word by word, each a prefix, without case.
var filterKeys = map[string]func(s *secret, value string) bool{
	"name":        func(s *secret, v string) bool { return strings.HasPrefix(s.name, v) },
	"description": func(s *secret, v string) bool { return wordsMatch(v, s.description) },
	"tag-key": func(s *secret, v string) bool {
		return s.anyTag(func(t tag) bool { return strings.HasPrefix(t.Key, v) })
	},
	"tag-value": func(s *secret, v string) bool {
		return s.anyTag(func(t tag) bool { return strings.HasPrefix(t.Value, v) })
	},
	"primary-region": func(s *secret, v string) bool { return strings.HasPrefix(s.primaryRegion, v) },
	"owning-service": func(s *secret, v string) bool { return strings.HasPrefix(s.owningService, v) },
	"all":            func(s *secret, v string) bool { return wordsMatch(v, s.everything()...) },
}

func checkFilters(filters []filter) error {
	for _, f := range filters {
		if _, ok := filterKeys[f.Key]; !ok {
			return constraint("filters", "Member must satisfy enum value set")
		}
		if len(f.Values) == 0 {
			return failure("InvalidParameterException", "You must provide at least one filter value.")
		}
	}
	return nil
}

func (s *secret) passes(filters []filter) bool {
	for _, f := range filters {
		matches := filterKeys[f.Key]
		if !slices.ContainsFunc(f.Values, func(value string) bool {
			if wanted, negated := strings.CutPrefix(value, "!"); negated {
				return !matches(s, wanted)
			}
			return matches(s, value)
		}) {
			return false
		}
	}
	return true
}

func (s *secret) anyTag(f func(tag) bool) bool { return slices.ContainsFunc(s.tags, f) }

func (s *secret) everything() []string {
	texts := []string{s.name, s.description, s.primaryRegion, s.owningService}
	for _, t := range s.tags {
		texts = append(texts, t.Key, t.Value)
	}
	return texts
}

// wordsMatch reports whether each word of value begins a word of some text.
func wordsMatch(value string, texts ...string) bool {
	words := split(strings.Join(texts, " "))
	for _, wanted := range split(value) {
		if !slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, wanted) }) {
			return false
		}
	}
	return true
}

func split(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
}
