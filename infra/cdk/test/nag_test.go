package test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"

	"github.com/secretreview/secretreview/infra/cdk/app"
)

// exceptions are what cdk-nag's rules find that is meant to be so, and why.
var exceptions = []struct{ rule, resource, because string }{
	{
		"AwsSolutions-SMG4|NIST.800.53.R5-SecretsManagerRotationEnabled", "^secretreview/SecretReview/Secret",
		"the values come from people, who propose new ones; no function could make them up, and rotation would be a write past the review",
	},
	{
		"AwsSolutions-IAM5", "^secretreview/SecretReview/ControllerRole",
		"ListSecrets knows no resources; names of staged secrets are not known before they are made, and which live secrets the manager may " +
			"read and write is held by their owner tag. TestPoliciesAllowWhatIsNeededAndNoAttack tries it",
	},
	{
		"AwsSolutions-IAM5", "^secretreview/People-",
		"a project is what people are given rights on: the wildcard stands for its environments or changes, and ends with the project's path",
	},
	{
		"NIST.800.53.R5-IAMNoInlinePolicy", "^secretreview/SecretReview/ControllerRole",
		"the policy is of use to this role alone",
	},
	{
		"NIST.800.53.R5-SNSEncryptedKMS", "^secretreview/SecretReview/Topic/",
		"an event has names of secrets and principals and no value; EventBridge could publish to an encrypted topic only with a right on the key",
	},
}

func TestNagFindsNothingThatIsNotExplained(t *testing.T) {
	made := newApp(t)
	if _, err := app.Build(made, example(t, "secretreview.yaml")); err != nil {
		t.Fatal(err)
	}
	props := &cdknag.NagPackProps{Reports: jsii.Bool(true), ReportFormats: &[]cdknag.NagReportFormat{cdknag.NagReportFormat_JSON}}
	awscdk.Aspects_Of(made).Add(cdknag.NewAwsSolutionsChecks(props), nil)
	awscdk.Aspects_Of(made).Add(cdknag.NewNIST80053R5Checks(props), nil)
	made.Synth(nil)
	reports, err := filepath.Glob(filepath.Join(*made.Outdir(), "*NagReport.json"))
	if err != nil || len(reports) == 0 {
		t.Fatalf("there are no reports: %v", err)
	}
	used, checked := make([]bool, len(exceptions)), 0
	for _, report := range reports {
		text, err := os.ReadFile(report)
		if err != nil {
			t.Fatal(err)
		}
		var found struct {
			Lines []struct{ RuleID, ResourceID, Compliance, RuleInfo string }
		}
		if err := json.Unmarshal(text, &found); err != nil {
			t.Fatal(err)
		}
		for _, line := range found.Lines {
			checked++
			if line.Compliance == "Compliant" || line.Compliance == "N/A" {
				continue
			}
			explained := false
			for i, e := range exceptions {
				if regexp.MustCompile("^("+e.rule+")$").MatchString(line.RuleID) && regexp.MustCompile(e.resource).MatchString(line.ResourceID) {
					used[i], explained = true, true
				}
			}
			if !explained {
				t.Errorf("%s is %s with %s: %s", line.ResourceID, line.Compliance, line.RuleID, line.RuleInfo)
			}
		}
	}
	for i, e := range exceptions {
		if !used[i] {
			t.Errorf("nothing is found any more by %s for %s: take the exception away", e.rule, e.resource)
		}
	}
	if checked < 30 {
		t.Errorf("only %d lines are in the reports", checked)
	}
}
