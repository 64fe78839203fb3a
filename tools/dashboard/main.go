// Command dashboard writes the Grafana dashboard that the Helm chart ships with, from the table in panels.go, by
// Grafana's own types:
//
//	dashboard -out ../charts/secretreview/files/observability/dashboard.json
//
// The same table gives the same bytes.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
)

func main() {
	out := flag.String("out", "dashboard.json", "where the dashboard goes")
	flag.Parse()
	if err := write(*out); err != nil {
		fmt.Fprintln(os.Stderr, "dashboard:", err)
		os.Exit(1)
	}
}

func write(path string) error {
	board, err := build(rows)
	if err != nil {
		return fmt.Errorf("build the dashboard: %w", err)
	}
	content, err := json.MarshalIndent(board, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the dashboard: %w", err)
	}
	return os.WriteFile(path, append(content, '\n'), 0o644) //nolint:gosec // everybody may read it
}
