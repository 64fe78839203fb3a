package reading

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/test/dev/stack"
)

// oneOrMore is what IAM's policies have in many places.
type oneOrMore []string

func (o *oneOrMore) UnmarshalJSON(text []byte) error {
	if bytes.HasPrefix(text, []byte("[")) {
		return json.Unmarshal(text, (*[]string)(o))
	}
	*o = make([]string, 1)
	return json.Unmarshal(text, &(*o)[0])
}

type statement struct {
	Sid, Effect      string
	Action, Resource oneOrMore
	Condition        map[string]map[string]string
}

// readRole has the rights of the example's policy. The emulator knows no conditions: an Allow without its own says too
// much, which what is denied must stand, and a Deny with one is left to the simulator of infra/cdk.
func readRole() emulator.Principal {
	var account corev1.ServiceAccount
	decode("serviceaccount.yaml", &account)
	role := emulator.Principal{
		AccessKeyID: reader,
		ARN:         account.Annotations["eks.amazonaws.com/role-arn"],
		WebIdentity: "system:serviceaccount:" + account.Namespace + ":" + account.Name,
	}
	var policy struct {
		Version   string
		Statement []statement
	}
	text, err := os.ReadFile(example("iam", "read.json"))
	Expect(err).NotTo(HaveOccurred())
	key := stack.KeyOf(environment)
	filled := strings.ReplaceAll(string(text), "KEY-ID", key[strings.LastIndex(key, "/")+1:])
	Expect(yaml.UnmarshalStrict([]byte(filled), &policy)).To(Succeed())
	for _, s := range policy.Statement {
		rule := emulator.Rule{Actions: s.Action, Resources: s.Resource}
		switch {
		case s.Effect == "Allow":
			role.Allow = append(role.Allow, rule)
		case len(s.Condition) == 0:
			role.Deny = append(role.Deny, rule)
		}
	}
	Expect(role.Allow).To(HaveLen(2))
	Expect(role.Deny).To(ConsistOf(HaveField("Resources", ConsistOf(HaveSuffix(":secret:"+naming.StagingPrefix(naming.DefaultPrefix)+"*")))))
	return role
}

// decode reads an example, in which no field may be that its type has not.
func decode(path string, into any) {
	text, err := os.ReadFile(example(path))
	Expect(err).NotTo(HaveOccurred())
	Expect(yaml.UnmarshalStrict(text, into)).To(Succeed(), path)
}
