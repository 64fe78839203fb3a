package guard

import (
	"strings"
)

// DefaultControllerUser is the manager's user name where it is installed as shipped.
const DefaultControllerUser = "system:serviceaccount:secretreview-system:secretreview-manager"

// Options are the names that an installer writes into the policies. The manager must be told the same ones in the same
// order, since it compares the policies with what they ought to be.
type Options struct {
	// ControllerUser is the manager's own user name; empty means DefaultControllerUser.
	ControllerUser string
	// Appliers are user names of GitOps controllers that may use the verb vouch.
	Appliers []string
	// BackupAccounts are user names that may use the verb vouch and write status, finalizers and our labels.
	BackupAccounts []string
	// ReviewingServiceAccounts are user names of ServiceAccounts whose reviews are let in.
	ReviewingServiceAccounts []string
	// ProposingServiceAccounts are user names of ServiceAccounts that may propose.
	ProposingServiceAccounts []string
	// SessionEnforcedRoles are IAM roles whose session names the identity provider sets: role ARNs, or user names up to
	// and with the role.
	SessionEnforcedRoles []string
}

// lists are the policies' variables that an installer fills in, by name.
func (o Options) lists() map[string][]string {
	controller := o.ControllerUser
	if controller == "" {
		controller = DefaultControllerUser
	}
	return map[string][]string{
		"controllers":              {controller},
		"appliers":                 o.Appliers,
		"backupAccounts":           o.BackupAccounts,
		"reviewingServiceAccounts": o.ReviewingServiceAccounts,
		"proposingServiceAccounts": o.ProposingServiceAccounts,
		"sessionEnforcedRoles":     o.SessionEnforcedRoles,
	}
}

var escape = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`)

// literal writes a list as an installer has to: ['one', 'two'], with \ and ' escaped by a backslash.
func literal(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = "'" + escape.Replace(name) + "'"
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
