package alerts_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/yaml"

	"github.com/secretreview/secretreview/internal/controller/metrics"
	"github.com/secretreview/secretreview/test/alerts"
)

const root = "../.."

// promtool runs promtool, which must have nothing to complain about.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	path, err := alerts.Promtool()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func rules(t *testing.T) []alerts.Rule {
	t.Helper()
	all, err := alerts.Rules()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("there are no alerts")
	}
	return all
}

func queries(t *testing.T) map[string]string {
	t.Helper()
	all, err := alerts.Queries()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestPrometheusTakesTheRules(t *testing.T) {
	promtool(t, "check", "rules", "--lint=all", "--lint-fatal", filepath.Join(root, alerts.RulesFile))
}

// TestPrometheusTakesTheDashboardsQueries makes a recording rule of each, as that is what promtool checks.
func TestPrometheusTakesTheDashboardsQueries(t *testing.T) {
	type rule struct {
		Record string `json:"record"`
		Expr   string `json:"expr"`
	}
	var all []rule
	for _, query := range queries(t) {
		all = append(all, rule{fmt.Sprintf("query:%d", len(all)), query})
	}
	content, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": all}}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "rules", path)
}

// catalogue notes which metrics are registered.
type catalogue struct{ names []string }

var fqName = regexp.MustCompile(`fqName: "([^"]+)"`)

func (c *catalogue) Register(collector prometheus.Collector) error {
	descs := make(chan *prometheus.Desc, 100)
	collector.Describe(descs)
	close(descs)
	for desc := range descs {
		c.names = append(c.names, fqName.FindStringSubmatch(desc.String())[1])
	}
	return nil
}
func (c *catalogue) MustRegister(...prometheus.Collector) {}
func (c *catalogue) Unregister(prometheus.Collector) bool { return false }

// What else a manager serves is compared with a real one's answer in test/e2e.
func TestQueriesAskForMetricsThatThereAre(t *testing.T) {
	var known catalogue
	if _, err := metrics.New(&known); err != nil {
		t.Fatal(err)
	}
	if err := known.Register(&metrics.State{}); err != nil {
		t.Fatal(err)
	}
	asked := map[string]bool{}
	for place, query := range queries(t) {
		names := alerts.MetricsOf(query)
		if len(names) == 0 {
			t.Errorf("%s asks for nothing: %s", place, query)
		}
		for _, name := range names {
			asked[name] = true
			if strings.HasPrefix(name, "secretreview_") && !slices.Contains(known.names, name) {
				t.Errorf("%s asks for %s, which there is not", place, name)
			}
		}
	}
	for _, name := range known.names {
		if !asked[name] {
			t.Errorf("neither an alert nor a panel asks for %s", name)
		}
	}
}

func TestMetricsOfAQueryAreFound(t *testing.T) {
	for query, want := range map[string]string{
		`time() - max(a_b) > 3 * max(c)`:                                                           "a_b c",
		`min by (x, y) (a{phase="A}b"}) > 180 unless on (x, y) c == 1`:                             "a c",
		`histogram_quantile(0.5, sum by (le) (increase(a_seconds_bucket[1h])))`:                    "a_seconds",
		`rate(cpu_total[5m]) and on (job, instance) c`:                                             "c cpu_total",
		`sum by (operation, result) (rate(a_total{result=~"AccessDenied|Credentials"}[10m])) or b`: "a_total b",
	} {
		if got := strings.Join(alerts.MetricsOf(query), " "); got != want {
			t.Errorf("%s asks for %q, want %q", query, got, want)
		}
	}
}

func TestEachAlertHasItsRunbookAndEachRunbookItsAlert(t *testing.T) {
	read := func(path string) string {
		content, err := os.ReadFile(filepath.Join(root, "docs", path))
		if err != nil {
			t.Error(err)
		}
		return string(content)
	}
	table := read("observability.md")
	var names []string
	for _, rule := range rules(t) {
		names = append(names, rule.Alert+".md")
		severity := rule.Labels["severity"]
		page := read("runbooks/" + rule.Alert + ".md")
		for _, part := range []string{"# " + rule.Alert + "\n", "**Severity:** " + severity + ".", "## Meaning\n", "## Impact\n", "## Find out\n", "## Mend\n"} {
			if !strings.Contains(page, part) {
				t.Errorf("the runbook of %s lacks %q", rule.Alert, part)
			}
		}
		if want := "https://github.com/secretreview/secretreview/blob/main/docs/runbooks/" + rule.Alert + ".md"; rule.Annotations["runbook_url"] != want {
			t.Errorf("%s leads to %s, want %s", rule.Alert, rule.Annotations["runbook_url"], want)
		}
		if row := fmt.Sprintf("| [%s](runbooks/%s.md) | %s |", rule.Alert, rule.Alert, severity); !strings.Contains(table, row) {
			t.Errorf("docs/observability.md lacks the row %s", row)
		}
		if severity != "critical" && severity != "warning" {
			t.Errorf("%s has the severity %q", rule.Alert, severity)
		}
		for _, annotation := range []string{"summary", "description"} {
			if rule.Annotations[annotation] == "" {
				t.Errorf("%s has no %s", rule.Alert, annotation)
			}
		}
	}
	pages, err := os.ReadDir(filepath.Join(root, "docs/runbooks"))
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		if !slices.Contains(names, page.Name()) {
			t.Errorf("docs/runbooks/%s is of no alert", page.Name())
		}
	}
}
