// Package cfn reads CloudFormation templates as CloudFormation will fill them
// in, as far as is needed to put their policies to a test and to tell whether
// they fit its limits.
package cfn

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// Template is a template of one stack.
type Template struct {
	Resources map[string]Resource `json:"Resources"`
	Outputs   map[string]any      `json:"Outputs"`
}

// Resource is one of a Template.
type Resource struct {
	Type                string
	Properties          map[string]any
	DeletionPolicy      string
	UpdateReplacePolicy string
	Metadata            map[string]any
}

// Parse reads a template in JSON.
func Parse(text []byte) (*Template, error) {
	var t Template
	if err := json.Unmarshal(text, &t); err != nil {
		return nil, fmt.Errorf("read a template: %w", err)
	}
	return &t, nil
}

// Place is where a stack is deployed to.
type Place struct {
	Partition, Region, Account, URLSuffix string
	// Imports are values of Fn::ImportValue, by the name of the export.
	Imports map[string]string
}

// Somewhere stands for a place that is not known yet, as long as they get.
var Somewhere = Place{Partition: "aws-us-gov", Region: "ap-southeast-1", Account: "123456789012", URLSuffix: "amazonaws.com.cn"}

// ID is what a resource is called once it is made.
func (p Place) ID(logicalID string, r Resource) string {
	arn := func(service, region, resource string) string {
		return fmt.Sprintf("arn:%s:%s:%s:%s:%s", p.Partition, service, region, p.Account, resource)
	}
	switch r.Type {
	case "AWS::SecretsManager::Secret":
		return arn("secretsmanager", p.Region, fmt.Sprintf("secret:%v-AbCdEf", r.Properties["Name"]))
	case "AWS::KMS::Key":
		return arn("kms", p.Region, "key/"+logicalID)
	case "AWS::IAM::Role":
		return arn("iam", "", "role/"+logicalID)
	case "AWS::IAM::ManagedPolicy":
		return arn("iam", "", "policy/"+logicalID)
	case "AWS::SNS::Topic":
		return arn("sns", p.Region, logicalID)
	case "AWS::Events::Rule":
		return arn("events", p.Region, "rule/"+logicalID)
	}
	return logicalID
}

var variable = regexp.MustCompile(`\$\{([A-Za-z0-9:.]+)\}`)

// Resolve returns a value with every intrinsic function carried out that this
// project uses: Ref, Fn::GetAtt, Fn::Sub, Fn::Join and Fn::ImportValue.
func (t *Template) Resolve(p Place, value any) any {
	switch v := value.(type) {
	case []any:
		all := make([]any, len(v))
		for i := range v {
			all[i] = t.Resolve(p, v[i])
		}
		return all
	case map[string]any:
		if len(v) == 1 {
			for function, argument := range v {
				if resolved, ok := t.call(p, function, argument); ok {
					return resolved
				}
			}
		}
		all := make(map[string]any, len(v))
		for key := range v {
			all[key] = t.Resolve(p, v[key])
		}
		return all
	}
	return value
}

func (t *Template) call(p Place, function string, argument any) (any, bool) {
	switch function {
	case "Ref":
		return t.ref(p, fmt.Sprint(argument)), true
	case "Fn::GetAtt":
		list, _ := argument.([]any)
		return t.ref(p, fmt.Sprint(list[0])), true
	case "Fn::ImportValue":
		return p.Imports[fmt.Sprint(argument)], true
	case "Fn::Sub":
		text, _ := argument.(string)
		return variable.ReplaceAllStringFunc(text, func(name string) string {
			return t.ref(p, strings.Trim(name, "${}"))
		}), true
	case "Fn::Join":
		list, _ := argument.([]any)
		parts, _ := t.Resolve(p, list[1]).([]any)
		var text []string
		for _, part := range parts {
			text = append(text, fmt.Sprint(part))
		}
		return strings.Join(text, fmt.Sprint(list[0])), true
	}
	return nil, false
}

func (t *Template) ref(p Place, name string) string {
	switch name {
	case "AWS::Partition":
		return p.Partition
	case "AWS::Region":
		return p.Region
	case "AWS::AccountId":
		return p.Account
	case "AWS::URLSuffix":
		return p.URLSuffix
	}
	return p.ID(name, t.Resources[name])
}
