// Package draft names changes that are about to be created.
package draft

import (
	"crypto/rand"
	"fmt"
	"io"
	"math/big"
	"strings"
)

const (
	suffixLength = 5
	suffixDigits = "0123456789abcdefghijklmnopqrstuvwxyz"
	// maxNameBase leaves room for "-" and the suffix in the 253 characters that
	// Kubernetes allows.
	maxNameBase = 253 - 1 - suffixLength
)

// Name returns <project>-<environment>-<5 random characters> as a DNS
// subdomain.
func Name(project, environment string, random io.Reader) (string, error) {
	base := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '.', r == '-':
			return r
		default:
			return '-'
		}
	}, strings.ToLower(project+"-"+environment))
	base = strings.TrimRight(base[:min(len(base), maxNameBase)], ".-")
	suffix := make([]byte, suffixLength)
	for i := range suffix {
		n, err := rand.Int(random, big.NewInt(int64(len(suffixDigits))))
		if err != nil {
			return "", fmt.Errorf("draw a name for the change: %w", err)
		}
		suffix[i] = suffixDigits[n.Int64()]
	}
	return base + "-" + string(suffix), nil
}
