// Package values turns the outputs of a stack into values of the Helm chart. It
// knows nothing of the CDK, so that it is built in a second.
package values

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/secretreview/secretreview/infra/cdk/internal/keys"
	"github.com/secretreview/secretreview/internal/naming"
)

// Outputs are those of one stack, by key.
type Outputs map[string]string

// Read takes what "cdk deploy --outputs-file" writes or what "aws cloudformation
// describe-stacks" answers. A stack needs no name where there is one only that
// has a role for a manager.
func Read(text []byte, stack string) (Outputs, error) {
	stacks, err := read(text)
	if err != nil {
		return nil, err
	}
	if stack != "" {
		if stacks[stack] == nil {
			return nil, fmt.Errorf("there is no stack %q among %s", stack, names(stacks))
		}
		return stacks[stack], nil
	}
	maps.DeleteFunc(stacks, func(_ string, o Outputs) bool { return o[keys.Role] == "" })
	if len(stacks) != 1 {
		return nil, fmt.Errorf("%d stacks have a role for a manager, %s: name one", len(stacks), names(stacks))
	}
	for _, outputs := range stacks {
		return outputs, nil
	}
	return nil, nil
}

func read(text []byte) (map[string]Outputs, error) {
	var described struct {
		Stacks []struct {
			StackName string
			Outputs   []struct{ OutputKey, OutputValue string }
		}
	}
	if err := json.Unmarshal(text, &described); err != nil {
		return nil, fmt.Errorf("the outputs are not JSON as cdk or aws write it: %w", err)
	}
	stacks := map[string]Outputs{}
	if described.Stacks == nil {
		if err := json.Unmarshal(text, &stacks); err != nil {
			return nil, fmt.Errorf("the outputs are not JSON as cdk writes it: %w", err)
		}
		return stacks, nil
	}
	for _, s := range described.Stacks {
		stacks[s.StackName] = Outputs{}
		for _, o := range s.Outputs {
			stacks[s.StackName][o.OutputKey] = o.OutputValue
		}
	}
	return stacks, nil
}

func names(stacks map[string]Outputs) string {
	if len(stacks) == 0 {
		return "none"
	}
	return strings.Join(slices.Sorted(maps.Keys(stacks)), ", ")
}

// helm are the values that the outputs decide.
type helm struct {
	ClusterName string `json:"clusterName"`
	AWS         struct {
		Region string `json:"region"`
	} `json:"aws"`
	Prefix         string          `json:"prefix"`
	ServiceAccount *serviceAccount `json:"serviceAccount,omitempty"`
}

type serviceAccount struct {
	Annotations map[string]string `json:"annotations"`
}

// roleAnnotation is where EKS looks for the role of IRSA.
const roleAnnotation = "eks.amazonaws.com/role-arn"

// Helm returns the values for a cluster's manager as YAML.
func Helm(outputs Outputs, cluster string, podIdentity bool) ([]byte, error) {
	if !naming.ValidCluster(cluster) {
		return nil, fmt.Errorf("%q is no cluster name: give that of the configuration", cluster)
	}
	values := helm{ClusterName: cluster, Prefix: outputs[keys.Prefix]}
	values.AWS.Region = outputs[keys.Region]
	role := roleOf(outputs, cluster)
	if values.Prefix == "" || values.AWS.Region == "" {
		return nil, errors.New("the outputs lack SecretPrefix or Region: is this the stack of secretreview?")
	}
	if role == "" {
		return nil, fmt.Errorf("the outputs have no role for cluster %q: is it among the clusters of the configuration?", cluster)
	}
	if !podIdentity {
		values.ServiceAccount = &serviceAccount{Annotations: map[string]string{roleAnnotation: role}}
	}
	return yaml.Marshal(values)
}

// roleOf is the cluster's own where there are several.
func roleOf(outputs Outputs, cluster string) string {
	if own := outputs[keys.RoleOf(nil, cluster)]; own != "" {
		return own
	}
	for key := range outputs {
		if strings.HasPrefix(key, keys.Role) && key != keys.Role {
			return ""
		}
	}
	return outputs[keys.Role]
}
