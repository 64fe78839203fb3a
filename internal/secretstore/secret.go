package secretstore

import (
	"slices"
	"strings"
)

// VersionWith returns the VersionId that bears label, or "".
func (s Secret) VersionWith(label string) string {
	for id, labels := range s.Versions {
		if slices.Contains(labels, label) {
			return id
		}
	}
	return ""
}

// Current returns the live VersionId, or "" for a secret without a version.
func (s Secret) Current() string { return s.VersionWith(LabelCurrent) }

// Previous returns the VersionId that was live before, or "".
func (s Secret) Previous() string { return s.VersionWith(LabelPrevious) }

// InRotation reports whether a rotation is under way: AWSPENDING on a version
// that is not current.
func (s Secret) InRotation() bool {
	pending := s.VersionWith(LabelPending)
	return pending != "" && pending != s.Current()
}

// IsReplicaIn reports whether s, as seen in region, is a copy that cannot be
// written there.
func (s Secret) IsReplicaIn(region string) bool {
	return s.PrimaryRegion != "" && s.PrimaryRegion != region
}

// LabelCount counts labels over all versions; see MaxLabels.
func (s Secret) LabelCount() int {
	n := 0
	for _, labels := range s.Versions {
		n += len(labels)
	}
	return n
}

// ARNParts are the fields of a secret's ARN,
// arn:<partition>:secretsmanager:<region>:<account>:secret:<name>-<6 characters>.
type ARNParts struct {
	Partition, Region, Account string
	// Name is the secret's name, without the six characters that AWS adds.
	Name string
}

// ParseARN reads the ARN of a secret; ok is false for anything else, a partial
// ARN included.
func ParseARN(arn string) (parts ARNParts, ok bool) {
	const suffix = 7 // "-" and six characters
	fields := strings.SplitN(arn, ":", 7)
	if len(fields) != 7 || fields[0] != "arn" || fields[2] != "secretsmanager" || fields[5] != "secret" {
		return ARNParts{}, false
	}
	cut := len(fields[6]) - suffix
	if cut <= 0 || fields[6][cut] != '-' || fields[1] == "" || fields[3] == "" || fields[4] == "" {
		return ARNParts{}, false
	}
	return ARNParts{Partition: fields[1], Region: fields[3], Account: fields[4], Name: fields[6][:cut]}, true
}
