package policy

import (
	"regexp"
	"strings"
)

const serviceAccountPrefix = "system:serviceaccount:"

// assumedRole matches the user name that EKS gives to an IAM role's session;
// the caller picks the last part (EKS user guide, "access entries").
var assumedRole = regexp.MustCompile(`^(.*:assumed-role/[^/]+)/[^/]+$`)

// iamRole matches an IAM role's ARN, with or without a path.
var iamRole = regexp.MustCompile(`^arn:([a-z0-9-]+):iam::([0-9]{12}):role/(?:.*/)?([^/]+)$`)

// Identities tells people apart by their user names.
type Identities struct {
	sessionEnforced  map[string]bool
	reviewingAccount map[string]bool
}

// NewIdentities configures how people are told apart. sessionEnforcedRoles are
// roles whose session names the identity provider sets, as IAM role ARNs or as
// user names up to the role ("arn:aws:sts::…:assumed-role/<role>").
// reviewingServiceAccounts are user names of ServiceAccounts whose reviews
// count.
func NewIdentities(sessionEnforcedRoles, reviewingServiceAccounts []string) Identities {
	ids := Identities{sessionEnforced: map[string]bool{}, reviewingAccount: map[string]bool{}}
	for _, role := range sessionEnforcedRoles {
		if m := iamRole.FindStringSubmatch(role); m != nil {
			role = "arn:" + m[1] + ":sts::" + m[2] + ":assumed-role/" + m[3]
		}
		ids.sessionEnforced[role] = true
	}
	for _, account := range reviewingServiceAccounts {
		ids.reviewingAccount[account] = true
	}
	return ids
}

// Person returns what two user names of one person have in common: the user
// name, but for an IAM role's session the role, since whoever may assume it can
// take any session name.
func (i Identities) Person(user string) string {
	m := assumedRole.FindStringSubmatch(user)
	if m == nil || i.sessionEnforced[m[1]] {
		return user
	}
	return m[1]
}

// CanReview reports whether the user's review may count: anybody's but an
// unlisted ServiceAccount's, with whose voice a pod could speak.
func (i Identities) CanReview(user string) bool {
	return !strings.HasPrefix(user, serviceAccountPrefix) || i.reviewingAccount[user]
}
