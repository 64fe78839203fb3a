// Package imports tells "cdk import" which secrets that exist belong to which
// resources of a template.
package imports

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/secretreview/secretreview/infra/cdk/internal/cfn"
)

// Map is a resource mapping file of "cdk import": logical IDs, and what
// identifies the resource.
type Map map[string]map[string]string

// Of maps each secret of a template to the one with its name in what "aws
// secretsmanager list-secrets" answers. It fails where one is not there, and
// names each.
func Of(template, listed []byte) (Map, error) {
	t, err := cfn.Parse(template)
	if err != nil {
		return nil, err
	}
	var list struct{ SecretList []struct{ ARN, Name string } }
	if err := json.Unmarshal(listed, &list); err != nil {
		return nil, fmt.Errorf("this is not what list-secrets answers: %w", err)
	}
	arns := map[string]string{}
	for _, s := range list.SecretList {
		arns[s.Name] = s.ARN
	}
	found, missing := Map{}, []string{}
	for _, id := range slices.Sorted(maps.Keys(t.Resources)) {
		if r := t.Resources[id]; r.Type == "AWS::SecretsManager::Secret" {
			name := fmt.Sprint(r.Properties["Name"])
			if arns[name] == "" {
				missing = append(missing, name)
				continue
			}
			found[id] = map[string]string{"Id": arns[name]}
		}
	}
	switch {
	case len(missing) > 0:
		return nil, fmt.Errorf("these secrets of the template do not exist: %s", strings.Join(missing, ", "))
	case len(found) == 0:
		return nil, fmt.Errorf("the template has no secrets")
	}
	return found, nil
}
