package policy

import (
	"regexp"
	"strings"
)

// systemPrefix begins the names that are nobody's own: ServiceAccounts, nodes,
// and whoever does not sign in at all.
const systemPrefix = "system:"

// assumedRole stands before the role in the user name that EKS gives to an IAM
// role's session; the caller picks the last part (EKS user guide, "access
// entries").
const assumedRole = ":assumed-role"

// iamRole matches an IAM role's ARN, with or without a path.
var iamRole = regexp.MustCompile(`^arn:([a-z0-9-]+):iam::([0-9]{12}):role/(?:.*/)?([^/]+)$`)

// Identities tells people apart by their user names.
type Identities struct {
	sessionEnforced  map[string]bool
	reviewingAccount map[string]bool
	proposingAccount map[string]bool
}

// Listed are names of which an installation says more than they show.
type Listed struct {
	// SessionEnforcedRoles are roles whose session names the identity provider
	// sets, as IAM role ARNs or as user names up to the role
	// ("arn:aws:sts::…:assumed-role/<role>").
	SessionEnforcedRoles []string
	// ReviewingAccounts and ProposingAccounts begin with system:, and may review
	// and propose all the same.
	ReviewingAccounts, ProposingAccounts []string
}

// NewIdentities configures how people are told apart.
func NewIdentities(listed Listed) Identities {
	ids := Identities{
		sessionEnforced:  map[string]bool{},
		reviewingAccount: set(listed.ReviewingAccounts),
		proposingAccount: set(listed.ProposingAccounts),
	}
	for _, role := range listed.SessionEnforcedRoles {
		if m := iamRole.FindStringSubmatch(role); m != nil {
			role = "arn:" + m[1] + ":sts::" + m[2] + ":assumed-role/" + m[3]
		}
		ids.sessionEnforced[role] = true
	}
	return ids
}

func set(names []string) map[string]bool {
	all := map[string]bool{}
	for _, name := range names {
		all[name] = true
	}
	return all
}

// Person returns what two user names of one person have in common: the user
// name, but for an IAM role's session the role, since whoever may assume it can
// take any session name.
func (i Identities) Person(user string) string {
	session := strings.LastIndexByte(user, '/')
	if session < 0 || session == len(user)-1 {
		return user
	}
	role := strings.LastIndexByte(user[:session], '/')
	if role < 0 || role == session-1 || !strings.HasSuffix(user[:role], assumedRole) || i.sessionEnforced[user[:session]] {
		return user
	}
	return user[:session]
}

// CanReview reports whether the user's review may count: anybody's but an
// unlisted ServiceAccount's, with whose voice a pod could speak, or that of
// another name which anybody could have bound a role to.
func (i Identities) CanReview(user string) bool {
	return !strings.HasPrefix(user, systemPrefix) || i.reviewingAccount[user]
}

// CanPropose reports whether the user may be the proposer of a change; see
// CanReview.
func (i Identities) CanPropose(user string) bool {
	return !strings.HasPrefix(user, systemPrefix) || i.proposingAccount[user]
}
