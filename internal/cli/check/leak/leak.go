// Package leak finds text that looks like a credential. It knows formats that
// their issuers document, which is few false alarms, and guesses at the rest.
// A scanner of a whole repository, such as gitleaks, knows more of them.
package leak

import (
	"math"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// Match is something that looks like a credential. It does not hold what was
// found.
type Match struct {
	// What it looks like, as "an AWS access key".
	What string
	// Guess says that it has no format of its own: it may well be harmless.
	Guess bool
}

// format is a credential that can be told by how it is written. The pages are
// those of its issuer.
type format struct {
	what    string
	pattern *regexp.Regexp
}

// formats are compiled when they are needed: other commands start without them.
var formats = sync.OnceValue(func() []format {
	return []format{
		// IAM User Guide, "IAM identifiers", unique ID prefixes.
		{"an AWS access key", regexp.MustCompile(`\b(?:AKIA|ASIA)[A-Z2-7]{16}\b`)},
		// RFC 7468; OpenSSH's PROTOCOL.key.
		{"a private key", regexp.MustCompile(`-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----`)},
		// docs.github.com, "About authentication to GitHub", token formats.
		{"a GitHub token", regexp.MustCompile(`\b(?:gh[opsur]_[A-Za-z0-9_.-]{30,}|github_pat_[A-Za-z0-9_]{22,})`)},
		// docs.gitlab.com, "GitLab token overview", token prefixes.
		{"a GitLab token", regexp.MustCompile(`\b(?:glpat|gloas|gldt|glrt|glcbt|glptt|glft|glimt|glagent|glsoat)-[A-Za-z0-9_.-]{20,}`)},
		// docs.slack.dev, "Token types" and "Sending messages using incoming webhooks".
		{"a Slack token", regexp.MustCompile(`\b(?:xox[a-z]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{10,}|hooks\.slack\.com/services/[A-Za-z0-9/]{20,})`)},
		// docs.stripe.com, "API keys" and "Verify webhook signatures".
		{"a Stripe key", regexp.MustCompile(`\b(?:(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/=]{20,})`)},
		// cloud.google.com, "Manage API keys"; OAuth clients' secrets.
		{"a Google key", regexp.MustCompile(`\b(?:AIza[A-Za-z0-9_-]{35}|GOCSPX-[A-Za-z0-9_-]{20,})`)},
		// docs.npmjs.com, "About access tokens"; pypi.org/help, "API tokens".
		{"a package registry's token", regexp.MustCompile(`\b(?:npm_[A-Za-z0-9]{36}|pypi-AgE[A-Za-z0-9_-]{30,})`)},
		// twilio.com/docs/sendgrid, "API keys".
		{"a SendGrid key", regexp.MustCompile(`\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}`)},
		// developer.hashicorp.com, "Tokens", token prefixes.
		{"a Vault token", regexp.MustCompile(`\bhv[sbr]\.[A-Za-z0-9_-]{20,}`)},
		// platform.openai.com and docs.anthropic.com, authentication.
		{"a key of an AI service", regexp.MustCompile(`\bsk-(?:(?:proj|svcacct|admin|ant)-[A-Za-z0-9_-]{20,}|[A-Za-z0-9]{32,})`)},
		// age-encryption.org/v1.
		{"an age key", regexp.MustCompile(`\bAGE-SECRET-KEY-1[0-9A-Z]{20,}`)},
		// RFC 7519: header and payload are base64url of JSON objects.
		{"a JSON web token", regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*`)},
	}
})

// userinfo is that of RFC 3986. A password that stands for one has no letters
// and digits, or says by its first character that it is filled in later.
var userinfo = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@]*:([^\s/@]+)@`)

var placeholder = regexp.MustCompile(`^(?:[$<{%]|[*.xX-]+$)`)

// Find returns what in text has the format of a credential, each kind once.
func Find(text string) []Match {
	var found []Match
	for _, f := range formats() {
		if f.pattern.MatchString(text) {
			found = append(found, Match{What: f.what})
		}
	}
	for _, m := range userinfo.FindAllStringSubmatch(text, -1) {
		if !placeholder.MatchString(m[1]) {
			found = append(found, Match{What: "an address with a password"})
			break
		}
	}
	return found
}

var (
	// Compiled when it is needed, too: it is a large one.
	assignment = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)\b[\w-]*(?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key)[\w-]*["']?\s*=\s*["']?([^\s"']{6,})`)
	})
	// Dots, slashes and hyphens would make words of paths and names.
	word = regexp.MustCompile(`[A-Za-z0-9+_]{20,}={0,2}`)
	hex  = regexp.MustCompile(`^[0-9a-fA-F]+$`)
)

// minEntropy is in bits a character. Of 20 random letters and digits nearly all
// have more; of words of that length only a few.
const minEntropy = 3.5

// Guess is Find and, in what people write freely, what might be a value: random
// letters and digits, or an assignment to a name such as PASSWORD. What is
// hexadecimal is a commit or a version rather.
func Guess(text string) []Match {
	found := Find(text)
	if len(found) > 0 {
		return found
	}
	for _, m := range assignment().FindAllStringSubmatch(text, -1) {
		if !placeholder.MatchString(m[1]) {
			return []Match{{What: "an assignment of a value", Guess: true}}
		}
	}
	if slices.ContainsFunc(word.FindAllString(text, -1), random) {
		return []Match{{What: "random letters and digits, as a value has them", Guess: true}}
	}
	return nil
}

// random reports whether a word is like drawn at random: capitals, small letters
// and digits without order.
func random(word string) bool {
	digits := 0
	for _, r := range word {
		if unicode.IsDigit(r) {
			digits++
		}
	}
	return digits >= 2 && !hex.MatchString(word) &&
		strings.ContainsFunc(word, unicode.IsUpper) && strings.ContainsFunc(word, unicode.IsLower) && entropy(word) >= minEntropy
}

// entropy is Shannon's, in bits a character.
func entropy(s string) float64 {
	counts := map[rune]int{}
	for _, r := range s {
		counts[r]++
	}
	sum, n := 0.0, float64(len(s))
	for _, count := range counts {
		p := float64(count) / n
		sum -= p * math.Log2(p)
	}
	return sum
}
