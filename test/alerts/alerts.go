// Package alerts reads what the Helm chart gives to Prometheus and Grafana, for tests that hold it to what a manager
// serves and to its documents.
package alerts

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/secretreview/secretreview/test/cluster"
)

// Where the files are, from the repository's root.
const (
	RulesFile     = "charts/secretreview/files/observability/alerts.yaml"
	DashboardFile = "charts/secretreview/files/observability/dashboard.json"
)

// Rule is an alert as Prometheus reads it.
type Rule struct {
	Alert       string            `json:"alert"`
	Expr        string            `json:"expr"`
	For         string            `json:"for"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

// Rules returns all alerts.
func Rules() ([]Rule, error) {
	content, err := read(RulesFile)
	if err != nil {
		return nil, err
	}
	var file struct {
		Groups []struct {
			Name  string `json:"name"`
			Rules []Rule `json:"rules"`
		} `json:"groups"`
	}
	if err := yaml.UnmarshalStrict(content, &file); err != nil {
		return nil, fmt.Errorf("read %s: %w", RulesFile, err)
	}
	var rules []Rule
	for _, group := range file.Groups {
		rules = append(rules, group.Rules...)
	}
	return rules, nil
}

// Panel is what one panel of the dashboard asks.
type Panel struct {
	Title   string `json:"title"`
	Type    string `json:"type"`
	Targets []struct {
		Expr string `json:"expr"`
	} `json:"targets"`
}

// Panels returns all panels of the dashboard, without its rows.
func Panels() ([]Panel, error) {
	content, err := read(DashboardFile)
	if err != nil {
		return nil, err
	}
	var board struct {
		Panels []Panel `json:"panels"`
	}
	if err := json.Unmarshal(content, &board); err != nil {
		return nil, fmt.Errorf("read %s: %w", DashboardFile, err)
	}
	return slices.DeleteFunc(board.Panels, func(p Panel) bool { return p.Type == "row" }), nil
}

// variables are what Grafana puts in for its own variables, where everything is chosen.
var variables = strings.NewReplacer("$__rate_interval", "5m", "$namespace", ".*", "$project", ".*")

// Queries returns all PromQL of the alerts and of the dashboard, by where it stands.
func Queries() (map[string]string, error) {
	rules, err := Rules()
	if err != nil {
		return nil, err
	}
	panels, err := Panels()
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for _, rule := range rules {
		all["alert "+rule.Alert] = rule.Expr
	}
	for _, panel := range panels {
		for i, target := range panel.Targets {
			all[fmt.Sprintf("panel %q, query %d", panel.Title, i+1)] = variables.Replace(target.Expr)
		}
	}
	return all, nil
}

var (
	// labels are the parts of PromQL in which labels stand, and ranges.
	labels = regexp.MustCompile(`"[^"]*"|\{([^}"]|"[^"]*")*\}|\[[^\]]*\]|\b(by|on|without|ignoring|group_left|group_right) *\([^)]*\)`)
	// word is a name and what follows, which tells functions.
	word     = regexp.MustCompile(`\b[a-zA-Z_:][a-zA-Z0-9_:]* *\(?`)
	keywords = []string{"and", "or", "unless", "bool", "offset"}
	suffix   = regexp.MustCompile(`_(bucket|sum|count)$`)
)

// MetricsOf returns the names of the metrics that PromQL asks for; of a histogram, its own.
func MetricsOf(query string) []string {
	var found []string
	for _, name := range word.FindAllString(labels.ReplaceAllStringFunc(query, blank), -1) {
		if name = strings.TrimSpace(name); strings.HasSuffix(name, "(") || slices.Contains(keywords, name) {
			continue
		}
		found = append(found, suffix.ReplaceAllString(name, ""))
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// blank keeps a string, whose content may look like braces, from being anything.
func blank(string) string { return " " }

// Promtool returns the path of promtool, or an error that says how to build it.
func Promtool() (string, error) {
	bin, err := cluster.BinDir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(bin, "promtool")
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%s is not built: run `make %s`", path, path)
	}
	return path, nil
}

func read(path string) ([]byte, error) {
	root, err := cluster.RepositoryRoot()
	if err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(root, path))
}
