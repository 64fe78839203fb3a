package login

import (
	"fmt"
	"slices"
	"strings"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/exit"
)

// answer is what a system says to "may I?".
type answer string

const (
	yes     answer = "yes"
	no      answer = "no"
	unknown answer = "unknown"
)

func answerOf(may bool) answer {
	if may {
		return yes
	}
	return no
}

// report is all that is found out, for a machine.
type report struct {
	Cluster      cluster       `json:"cluster"`
	AWS          account       `json:"aws"`
	Environments []environment `json:"environments"`
	// Missing is what to ask for.
	Missing []need `json:"missing"`
	// Notes are what could not be found out.
	Notes []string `json:"notes,omitempty"`

	code exit.Code
}

type cluster struct {
	User    string   `json:"user,omitempty"`
	Groups  []string `json:"groups,omitempty"`
	Context string   `json:"context,omitempty"`
	Error   string   `json:"error,omitempty"`
}

type account struct {
	ARN       string `json:"arn,omitempty"`
	AccountID string `json:"account,omitempty"`
	Region    string `json:"region,omitempty"`
	Error     string `json:"error,omitempty"`
}

// environment is what one may do in it.
type environment struct {
	Namespace   string `json:"namespace,omitempty"`
	Project     string `json:"project"`
	Environment string `json:"environment"`
	Propose     answer `json:"propose"`
	Approve     answer `json:"approve"`
	Rollback    answer `json:"rollback"`
	Read        answer `json:"read"`

	// region and secret say where the live secret is, empty where nobody knows.
	region, secret, key string
}

func (e *environment) name() string { return e.Project + "/" + e.Environment }

// need is a right that is missing, and who can give it.
type need struct {
	Right string `json:"right"`
	// Environments are those that lack it.
	Environments []string `json:"environments"`
	// Ask is what to ask for.
	Ask string `json:"ask"`
}

// needs works out what to ask for: for each verb and namespace a role, for each
// secret a permission of AWS.
func needs(environments []environment) []need {
	found := []need{}
	for _, verb := range []struct {
		name, role string
		of         func(*environment) answer
	}{
		{v1alpha1.VerbPropose, "secretreview-proposer", func(e *environment) answer { return e.Propose }},
		{v1alpha1.VerbApprove, "secretreview-approver", func(e *environment) answer { return e.Approve }},
		{v1alpha1.VerbRollback, "secretreview-rollbacker", func(e *environment) answer { return e.Rollback }},
	} {
		lacking := map[string][]string{}
		var namespaces []string
		for i := range environments {
			e := &environments[i]
			if verb.of(e) != no {
				continue
			}
			if !slices.Contains(namespaces, e.Namespace) {
				namespaces = append(namespaces, e.Namespace)
			}
			lacking[e.Namespace] = append(lacking[e.Namespace], e.name())
		}
		for _, namespace := range namespaces {
			found = append(found, need{
				Right: verb.name, Environments: lacking[namespace],
				Ask: fmt.Sprintf("in Kubernetes, a RoleBinding to the ClusterRole %s in namespace %s (for %s)", verb.role, namespace, strings.Join(lacking[namespace], ", ")),
			})
		}
	}
	for i := range environments {
		if e := &environments[i]; e.Read == no {
			key := ""
			if e.key != "" {
				key = ", and kms:Decrypt on its key " + e.key
			}
			found = append(found, need{
				Right: "read", Environments: []string{e.name()},
				Ask: fmt.Sprintf("in AWS, secretsmanager:GetSecretValue on the secret %s in %s%s", e.secret, e.region, key),
			})
		}
	}
	return found
}
