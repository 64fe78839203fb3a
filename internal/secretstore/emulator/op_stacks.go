package emulator

import (
	"encoding/xml"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"time"
)

// Stack is a CloudFormation stack, of which only the outputs are told.
type Stack struct {
	Name    string            `json:"name"`
	Outputs map[string]string `json:"outputs,omitempty"`
}

// SetStacks replaces all stacks.
func (e *Emulator) SetStacks(all []Stack) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stacks = map[string]Stack{}
	for _, s := range all {
		e.stacks[s.Name] = s
	}
}

func (e *Emulator) stackARN(name string) string {
	return fmt.Sprintf("arn:aws:cloudformation:%s:%s:stack/%s/7e0d5bd0-0000-11f0-8000-0a1b2c3d4e5f", e.region, e.account, name)
}

type describeStacksResult struct {
	XMLName xml.Name      `xml:"DescribeStacksResult"`
	Stacks  []stackMember `xml:"Stacks>member"`
}

type stackMember struct {
	StackName, StackId, StackStatus string
	CreationTime                    string
	Outputs                         []outputMember `xml:"Outputs>member"`
}

type outputMember struct{ OutputKey, OutputValue string }

// describeStacks describes one stack, named by its name or ARN.
func describeStacks(r *request, form url.Values) (any, error) {
	name := form.Get("StackName")
	var found *Stack
	for _, s := range r.e.stacks {
		if s.Name == name || r.e.stackARN(s.Name) == name {
			found = &s
		}
	}
	shown := name
	if found != nil {
		shown = found.Name
	}
	if err := r.e.authorize(r.principal, Asked{Action: "cloudformation:DescribeStacks", Resource: r.e.stackARN(shown), name: shown}); err != nil {
		return nil, err
	}
	if found == nil {
		return nil, failure("ValidationError", "Stack with id %s does not exist", name)
	}
	member := stackMember{
		StackName: found.Name, StackId: r.e.stackARN(found.Name), StackStatus: "CREATE_COMPLETE", CreationTime: r.now.Format(time.RFC3339),
	}
	for _, key := range slices.Sorted(maps.Keys(found.Outputs)) {
		member.Outputs = append(member.Outputs, outputMember{key, found.Outputs[key]})
	}
	return &describeStacksResult{Stacks: []stackMember{member}}, nil
}
