package alerts_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/secretreview/secretreview/test/alerts"
)

const (
	minute = time.Minute
	hour   = time.Hour
	day    = 24 * time.Hour
)

// environment is where all is well or not; web is another one.
const (
	environment = `namespace="demo",project="api",environment="production"`
	web         = `namespace="demo",project="web",environment="production"`
)

// serves is what managers serve, minute by minute from 1970 on, or every ten minutes in a story of days. The notation is
// promtool's: "1x3" is four times 1, "_x3" is three times nothing.
type serves map[string]string

// played is a story, and when an alert fires in it.
type played struct {
	alert  string
	serves serves
	ofDays bool
	// quiet are times at which it does not fire.
	quiet []time.Duration
	// fires are times at which it does, with these labels beside its severity.
	fires  []time.Duration
	labels string
}

func oldest(phase, instance string) string {
	return `secretreview_oldest_unfinished_change_timestamp_seconds{` + environment + `,phase="` + phase + `",instance="` + instance + `"}`
}

func suspended(of string) string {
	return `secretreview_environment_suspended{` + of + `,instance="a"}`
}

func conflicts(reason string) string {
	return `secretreview_change_conflicts_total{reason="` + reason + `"}`
}

func calls(result string) string {
	return `secretreview_aws_calls_total{operation="PutSecretValue",result="` + result + `"}`
}

func leads(instance string) string {
	return `leader_election_master_status{name="secretreview-manager",instance="` + instance + `"}`
}

var stories = map[string]played{
	"no manager was ever scraped": {
		alert: "SecretReviewManagerAbsent", quiet: []time.Duration{4 * minute}, fires: []time.Duration{5 * minute},
	},
	"managers disappear": {
		alert:  "SecretReviewManagerAbsent",
		serves: serves{"secretreview_inventory_interval_seconds": "300x10 stale"},
		quiet:  []time.Duration{10 * minute, 15 * minute}, fires: []time.Duration{16 * minute},
	},
	"a manager that only waits is scraped": {
		alert:  "SecretReviewManagerAbsent",
		serves: serves{`secretreview_inventory_interval_seconds{instance="b"}`: "300x20"},
		quiet:  []time.Duration{6 * minute, 20 * minute},
	},

	"none leads": {
		alert: "SecretReviewLeaderMissing", serves: serves{leads("a"): "1x3 0x10", leads("b"): "0x20"},
		quiet: []time.Duration{3 * minute, 5 * minute}, fires: []time.Duration{6 * minute, 9 * minute},
	},
	"another takes over": {
		alert: "SecretReviewLeaderMissing", serves: serves{leads("a"): "1x3 stale", leads("b"): "0x4 1x10"},
		quiet: []time.Duration{4 * minute, 5 * minute, 8 * minute},
	},
	"somebody else's controller leads nothing": {
		alert: "SecretReviewLeaderMissing", serves: serves{`leader_election_master_status{name="other"}`: "0x20"},
		quiet: []time.Duration{10 * minute},
	},

	"the policies are missing": {
		alert: "SecretReviewPoliciesNotInForce", serves: serves{"secretreview_admission_policies_in_force": "1x4 0x20"},
		quiet: []time.Duration{4 * minute, 9 * minute}, fires: []time.Duration{10 * minute},
	},
	"the policies are replaced in an upgrade": {
		alert: "SecretReviewPoliciesNotInForce", serves: serves{"secretreview_admission_policies_in_force": "1x4 0x2 1x20"},
		quiet: []time.Duration{7 * minute, 10 * minute, 15 * minute},
	},

	"an approved change is not live after five minutes": {
		alert:  "SecretReviewChangeNotLive",
		serves: serves{oldest("Approved", "a"): "_x10 600x30", suspended(environment): "0x40"},
		quiet:  []time.Duration{11 * minute, 14 * minute}, fires: []time.Duration{15 * minute, 30 * minute}, labels: environment,
	},
	"an approved change is not live, and the leader changes": {
		alert: "SecretReviewChangeNotLive",
		serves: serves{
			oldest("Approved", "a"): "_x10 600x3 stale", oldest("Approved", "b"): "_x14 600x20", suspended(environment): "0x40",
		},
		quiet: []time.Duration{14 * minute}, fires: []time.Duration{15 * minute, 16 * minute}, labels: environment,
	},
	"an approved change becomes live late": {
		alert:  "SecretReviewChangeNotLive",
		serves: serves{oldest("Approved", "a"): "_x10 600x3 stale", suspended(environment): "0x40"},
		quiet:  []time.Duration{13 * minute, 15 * minute, 20 * minute},
	},
	"there is always an approved change, and each is live at once": {
		alert:  "SecretReviewChangeNotLive",
		serves: serves{oldest("Approved", "a"): "0+60x40", suspended(environment): "0x40"},
		quiet:  []time.Duration{10 * minute, 20 * minute, 40 * minute},
	},
	"an approved change waits for a freeze to end": {
		alert:  "SecretReviewChangeNotLive",
		serves: serves{oldest("Approved", "a"): "_x10 600x30", suspended(environment): "1x40"},
		quiet:  []time.Duration{15 * minute, 30 * minute},
	},
	"an approved change waits, and another environment is frozen": {
		alert:  "SecretReviewChangeNotLive",
		serves: serves{oldest("Approved", "a"): "_x10 600x30", suspended(environment): "0x40", suspended(web): "1x40"},
		fires:  []time.Duration{15 * minute}, labels: environment,
	},
	"an approved change goes live once a freeze has ended": {
		alert:  "SecretReviewChangeNotLive",
		serves: serves{oldest("Approved", "a"): "_x10 600x10 stale", suspended(environment): "1x18 0x20"},
		quiet:  []time.Duration{19 * minute, 20 * minute, 22 * minute},
	},
	"an approved change is not live two minutes after a freeze": {
		alert:  "SecretReviewChangeNotLive",
		serves: serves{oldest("Approved", "a"): "_x10 600x30", suspended(environment): "1x18 0x20"},
		quiet:  []time.Duration{20 * minute}, fires: []time.Duration{21 * minute}, labels: environment,
	},
	"a change waits for reviews, not to be live": {
		alert: "SecretReviewChangeNotLive", serves: serves{oldest("Pending", "a"): "0x60", suspended(environment): "0x60"},
		quiet: []time.Duration{60 * minute},
	},

	"a change is not checked": {
		alert: "SecretReviewChangeNotChecked", serves: serves{oldest("None", "a"): "0x30"},
		quiet: []time.Duration{10 * minute, 15 * minute}, fires: []time.Duration{16 * minute}, labels: environment,
	},
	"a change is checked after some minutes": {
		alert: "SecretReviewChangeNotChecked", serves: serves{oldest("None", "a"): "0x12 stale", oldest("Pending", "a"): "_x13 0x30"},
		quiet: []time.Duration{13 * minute, 20 * minute, 40 * minute},
	},

	"a change waits for reviews for days": {
		alert: "SecretReviewChangeWaiting", serves: serves{oldest("Pending", "a"): "0x450"}, ofDays: true,
		quiet: []time.Duration{day, 3 * day, 3*day + hour}, fires: []time.Duration{3*day + hour + 10*minute}, labels: environment,
	},
	"each change is reviewed within a day": {
		alert: "SecretReviewChangeWaiting", serves: serves{oldest("Pending", "a"): "0x143 86400x143 172800x143 259200x143"}, ofDays: true,
		quiet: []time.Duration{day, 2 * day, 3*day + 2*hour, 4*day - 10*minute},
	},

	"an outcome is unknown": {
		alert: "SecretReviewOutcomeUnknown", serves: serves{conflicts("OutcomeUnknown"): "0x5 1x100"},
		quiet: []time.Duration{5 * minute, 67 * minute}, fires: []time.Duration{6 * minute, 60 * minute},
	},
	"an outcome is unknown, and the manager starts anew": {
		alert: "SecretReviewOutcomeUnknown", serves: serves{conflicts("OutcomeUnknown"): "0x5 1x5 0x100"},
		quiet: []time.Duration{80 * minute}, fires: []time.Duration{20 * minute},
	},
	"two people edit at once": {
		alert: "SecretReviewOutcomeUnknown", serves: serves{conflicts("Conflicted"): "0x5 1x100", conflicts("OutcomeUnknown"): "0x110"},
		quiet: []time.Duration{10 * minute},
	},

	"changes conflict one after the other": {
		alert: "SecretReviewManyConflicts", serves: serves{conflicts("Conflicted"): "0x5 1 2 3 4 5 6x100"},
		quiet: []time.Duration{10 * minute, 90 * minute}, fires: []time.Duration{12 * minute},
	},
	"a few changes conflict": {
		alert: "SecretReviewManyConflicts", serves: serves{conflicts("Conflicted"): "7x5 8 9 10 11 12x100"},
		quiet: []time.Duration{10 * minute, 30 * minute, 60 * minute, 65 * minute},
	},

	"somebody writes past the review": {
		alert: "SecretReviewEnvironmentDrifted", serves: serves{`secretreview_environment_drifted{` + environment + `}`: "0x4 1x20"},
		quiet: []time.Duration{4 * minute, 9 * minute}, fires: []time.Duration{10 * minute}, labels: environment,
	},
	"a drift is adopted": {
		alert: "SecretReviewEnvironmentDrifted", serves: serves{`secretreview_environment_drifted{` + environment + `}`: "0x4 1x3 0x20"},
		quiet: []time.Duration{8 * minute, 12 * minute},
	},

	"a live secret is missing": {
		alert: "SecretReviewEnvironmentUnserved", serves: serves{`secretreview_environment_unserved{` + environment + `}`: "1x40"},
		quiet: []time.Duration{14 * minute}, fires: []time.Duration{15 * minute}, labels: environment,
	},
	"a project is new": {
		alert: "SecretReviewEnvironmentUnserved", serves: serves{`secretreview_environment_unserved{` + environment + `}`: "1x2 0x40"},
		quiet: []time.Duration{2 * minute, 20 * minute},
	},

	"a right is missing": {
		alert: "SecretReviewAWSDenied", serves: serves{calls("AccessDenied"): "0+1x40"},
		quiet: []time.Duration{14 * minute}, fires: []time.Duration{16 * minute},
		labels: `operation="PutSecretValue",result="AccessDenied"`,
	},
	"credentials are invalid": {
		alert: "SecretReviewAWSDenied", serves: serves{calls("Credentials"): "0+1x40"},
		fires: []time.Duration{16 * minute}, labels: `operation="PutSecretValue",result="Credentials"`,
	},
	"AWS says no once, and is slow": {
		alert: "SecretReviewAWSDenied", serves: serves{calls("AccessDenied"): "0x5 1x40", calls("Throttled"): "0+1x40", calls("ok"): "0+1x40"},
		quiet: []time.Duration{7 * minute, 15 * minute, 21 * minute, 40 * minute},
	},

	"listings fail": {
		alert: "SecretReviewInventoryStale",
		serves: serves{
			"secretreview_inventory_last_success_timestamp_seconds": "0x60", "secretreview_inventory_interval_seconds": "300x60",
		},
		quiet: []time.Duration{15 * minute, 20 * minute}, fires: []time.Duration{21 * minute},
	},
	"listings succeed, of which a waiting manager knows nothing": {
		alert: "SecretReviewInventoryStale",
		serves: serves{
			`secretreview_inventory_last_success_timestamp_seconds{instance="a"}`: "0+60x60",
			`secretreview_inventory_last_success_timestamp_seconds{instance="b"}`: "0x60",
			"secretreview_inventory_interval_seconds":                             "300x60",
		},
		quiet: []time.Duration{30 * minute, 60 * minute},
	},
	"listings are to be taken once an hour": {
		alert: "SecretReviewInventoryStale",
		serves: serves{
			"secretreview_inventory_last_success_timestamp_seconds": "0x59 3600x60", "secretreview_inventory_interval_seconds": "3600x120",
		},
		quiet: []time.Duration{30 * minute, 119 * minute},
	},

	"the sweep cannot delete": {
		alert: "SecretReviewStagedSecretsOrphaned", serves: serves{"secretreview_sweep_orphans": "3x500"},
		quiet: []time.Duration{5 * hour}, fires: []time.Duration{6 * hour},
	},
	"the sweep deletes": {
		alert: "SecretReviewStagedSecretsOrphaned", serves: serves{"secretreview_sweep_orphans": "3x10 0x400 2x10 0x100"},
		quiet: []time.Duration{5 * minute, 6 * hour, 8 * hour},
	},
}

// ask is promtool's question for what fires at a time.
func (p played) ask(at time.Duration, want ...string) map[string]any {
	samples := []any{}
	for _, labels := range want {
		samples = append(samples, map[string]any{"labels": labels, "value": 1})
	}
	return map[string]any{
		"expr": fmt.Sprintf(`ALERTS{alertname=%q,alertstate="firing"}`, p.alert), "eval_time": at.String(), "exp_samples": samples,
	}
}

func (p played) test(name, severity string) map[string]any {
	var series, asked []any
	for name, values := range p.serves {
		series = append(series, map[string]any{"series": name, "values": values})
	}
	for _, at := range p.quiet {
		asked = append(asked, p.ask(at))
	}
	for _, at := range p.fires {
		labels := fmt.Sprintf(`alertname=%q,alertstate="firing",severity=%q`, p.alert, severity)
		if p.labels != "" {
			labels += "," + p.labels
		}
		asked = append(asked, p.ask(at, "ALERTS{"+labels+"}"))
	}
	return map[string]any{"name": name, "interval": p.every(), "input_series": series, "promql_expr_test": asked}
}

// every is how often alerts are evaluated in a story.
func (p played) every() string {
	if p.ofDays {
		return "10m"
	}
	return "1m"
}

func TestAlertsFireWhenTheyShouldAndOnlyThen(t *testing.T) {
	rulesFile, err := filepath.Abs(filepath.Join(root, alerts.RulesFile))
	if err != nil {
		t.Fatal(err)
	}
	severities := map[string]string{}
	for _, rule := range rules(t) {
		severities[rule.Alert] = rule.Labels["severity"]
	}
	tests := map[string][]any{}
	for _, name := range slices.Sorted(maps.Keys(stories)) {
		story := stories[name]
		tests[story.every()] = append(tests[story.every()], story.test(name, severities[story.alert]))
	}
	for every, some := range tests {
		content, err := yaml.Marshal(map[string]any{"rule_files": []string{rulesFile}, "evaluation_interval": every, "tests": some})
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "test.yaml")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		promtool(t, "test", "rules", path)
	}
}

func TestEachAlertIsPlayedBothWays(t *testing.T) {
	fires, quiet := map[string]bool{}, map[string]bool{}
	for name, story := range stories {
		if len(story.fires)+len(story.quiet) == 0 {
			t.Errorf("nothing is asked of %q", name)
		}
		fires[story.alert] = fires[story.alert] || len(story.fires) > 0
		quiet[story.alert] = quiet[story.alert] || len(story.fires) == 0
	}
	for _, rule := range rules(t) {
		if !fires[rule.Alert] || !quiet[rule.Alert] {
			t.Errorf("%s fires in a story: %t, and fires in none of another: %t", rule.Alert, fires[rule.Alert], quiet[rule.Alert])
		}
		delete(fires, rule.Alert)
	}
	for name := range fires {
		t.Errorf("there is no alert %s", name)
	}
}

// TestAnnotationsNameOnlyLabelsThatAlertsHave: Prometheus would print nothing in their place.
func TestAnnotationsNameOnlyLabelsThatAlertsHave(t *testing.T) {
	for _, rule := range rules(t) {
		for _, text := range rule.Annotations {
			for _, used := range regexp.MustCompile(`\$labels\.(\w+)`).FindAllStringSubmatch(text, -1) {
				for name, story := range stories {
					if story.alert == rule.Alert && len(story.fires) > 0 && !regexp.MustCompile(`\b`+used[1]+`="`).MatchString(story.labels) {
						t.Errorf("%s names the label %s, which it has not when %s", rule.Alert, used[1], name)
					}
				}
			}
		}
	}
}
