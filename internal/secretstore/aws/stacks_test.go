package aws_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
)

func TestAStackTellsItsOutputs(t *testing.T) {
	e, a, _, _, _ := live(t)
	outputs := map[string]string{"SecretPrefix": "app/", "Note": `<&> "ü"`}
	const arn = "arn:aws:cloudformation:eu-central-1:123456789012:stack/app/7e0d5bd0-0000-11f0-8000-0a1b2c3d4e5f"
	e.SetStacks([]emulator.Stack{{Name: "app", Outputs: outputs}, {Name: "bare"}})
	e.SetPrincipals([]emulator.Principal{{AccessKeyID: "alice", Allow: []emulator.Rule{
		{Actions: []string{"cloudformation:DescribeStacks"}, Resources: []string{"app", "bare", "gone"}},
	}}})
	for stack, tc := range map[string]struct {
		want map[string]string
		kind secretstore.Kind
	}{
		"app":   {want: outputs},
		arn:     {want: outputs},
		"bare":  {},
		"gone":  {kind: secretstore.KindNotFound},
		"other": {kind: secretstore.KindDenied},
	} {
		t.Run(stack, func(t *testing.T) {
			got, err := a.StackOutputs(t.Context(), stack)
			if secretstore.KindOf(err) != tc.kind || !maps.Equal(got, tc.want) {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
	_, err := a.StackOutputs(t.Context(), "other")
	if text := err.Error(); !strings.Contains(text, "cloudformation:DescribeStacks") || strings.Contains(text, "secret") {
		t.Error(text)
	}
}
