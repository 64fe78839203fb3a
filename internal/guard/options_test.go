package guard

import (
	"testing"
)

func TestListsAreWrittenIntoThePolicies(t *testing.T) {
	t.Parallel()
	expected := expect(t, Options{
		ControllerUser:           "manager",
		Appliers:                 []string{"argo", "flux"},
		BackupAccounts:           []string{`it's a \ name`},
		ReviewingServiceAccounts: []string{"bot"},
		ProposingServiceAccounts: []string{"ci"},
		SessionEnforcedRoles:     []string{"arn:aws:iam::123456789012:role/Dev"},
	})
	want := map[string]string{
		"controllers":              "['manager']",
		"appliers":                 "['argo', 'flux']",
		"backupAccounts":           `['it\'s a \\ name']`,
		"reviewingServiceAccounts": "['bot']",
		"proposingServiceAccounts": "['ci']",
		"sessionEnforcedRoles":     "['arn:aws:iam::123456789012:role/Dev']",
	}
	seen := map[string]int{}
	for _, object := range expected.Objects() {
		variables, _ := object.Object["spec"].(map[string]any)["variables"].([]any)
		for _, v := range variables {
			variable := v.(map[string]any)
			name := variable["name"].(string)
			if list, ours := want[name]; ours {
				seen[name]++
				if variable["expression"] != list {
					t.Errorf("%s in %s is %s, want %s", name, object.GetName(), variable["expression"], list)
				}
			}
		}
	}
	times := map[string]int{
		"controllers": 1, "appliers": 1, "backupAccounts": 1, "reviewingServiceAccounts": 1, "proposingServiceAccounts": 1,
		"sessionEnforcedRoles": 2,
	}
	for name, n := range times {
		if seen[name] != n {
			t.Errorf("%s stands in %d policies, want %d", name, seen[name], n)
		}
	}
}

func TestShippedListsAreTheDefaults(t *testing.T) {
	t.Parallel()
	shipped, rendered := asApplied(shippedAsIs(t)), expect(t, Options{})
	if problems := rendered.Compare(shipped); len(problems) != 0 {
		t.Errorf("the files are not what Options{} renders: %v", problems)
	}
}
