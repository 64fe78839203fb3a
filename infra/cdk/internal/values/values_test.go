package values_test

import (
	"strings"
	"testing"

	"github.com/secretreview/secretreview/infra/cdk/internal/values"
)

const (
	byCDK  = `{"secretreview": {"SecretPrefix": "secret-review/", "Region": "eu-central-1", "ControllerRoleArn": "arn:aws:iam::1:role/r"}, "secretreview-shop": {"SecretArnShopProduction": "arn"}}`
	byAWS  = `{"Stacks": [{"StackName": "secretreview", "Outputs": [{"OutputKey": "SecretPrefix", "OutputValue": "secret-review/"}, {"OutputKey": "Region", "OutputValue": "eu-central-1"}, {"OutputKey": "ControllerRoleArn", "OutputValue": "arn:aws:iam::1:role/r"}]}]}`
	of2    = `{"a": {"SecretPrefix": "p/", "Region": "eu-central-1", "ControllerRoleArn": "r1", "ControllerRoleArnBlue": "r1", "ControllerRoleArnGreenTwo": "r2"}}`
	wanted = "aws:\n  region: eu-central-1\nclusterName: production\nprefix: secret-review/\nserviceAccount:\n  annotations:\n    eks.amazonaws.com/role-arn: arn:aws:iam::1:role/r\n"
)

func TestValuesOfOutputs(t *testing.T) {
	for name, c := range map[string]struct {
		outputs, stack, cluster string
		podIdentity             bool
		want, wantError         string
	}{
		"as cdk writes them":               {byCDK, "", "production", false, wanted, ""},
		"as aws answers them":              {byAWS, "", "production", false, wanted, ""},
		"of a stack by its name":           {byCDK, "secretreview", "production", false, wanted, ""},
		"with Pod Identity":                {byCDK, "", "production", true, "aws:\n  region: eu-central-1\nclusterName: production\nprefix: secret-review/\n", ""},
		"the second of two clusters":       {of2, "", "green-two", false, "aws:\n  region: eu-central-1\nclusterName: green-two\nprefix: p/\nserviceAccount:\n  annotations:\n    eks.amazonaws.com/role-arn: r2\n", ""},
		"a cluster that is none of two":    {of2, "", "red", false, "", "no role for cluster \"red\""},
		"no name of a cluster":             {byCDK, "", "", false, "", "no cluster name"},
		"a stack that is not there":        {byCDK, "x", "production", false, "", "no stack \"x\" among secretreview, secretreview-shop"},
		"a stack without a manager's role": {byCDK, "secretreview-shop", "production", false, "", "the outputs lack"},
		"no stack at all":                  {`{}`, "", "production", false, "", "0 stacks have a role for a manager, none"},
		"something that is not JSON":       {"x", "", "production", false, "", "not JSON"},
		"JSON that is something else":      {`{"a": 1}`, "", "production", false, "", "not JSON as cdk writes it"},
	} {
		t.Run(name, func(t *testing.T) {
			outputs, err := values.Read([]byte(c.outputs), c.stack)
			var got []byte
			if err == nil {
				got, err = values.Helm(outputs, c.cluster, c.podIdentity)
			}
			switch {
			case c.wantError == "" && err != nil:
				t.Error(err)
			case c.wantError != "" && (err == nil || !strings.Contains(err.Error(), c.wantError)):
				t.Errorf("the error is %v, want %q", err, c.wantError)
			case string(got) != c.want:
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}
