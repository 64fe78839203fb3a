package main

import (
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

// plugins are the names under which krew installs sr: a short one for an index of our own, and one that the guide of
// krew-index takes, which discourages abbreviations.
// https://krew.sigs.k8s.io/docs/developer-guide/develop/naming-guide/
var plugins = []string{"sr", "secret-review"}

// manifest is https://krew.sigs.k8s.io/docs/developer-guide/plugin-manifest/.
var manifest = template.Must(template.New("krew").Parse(`# Made by "make dist".
apiVersion: krew.googlecontainertools.github.com/v1alpha2
kind: Plugin
metadata:
  name: {{.Plugin}}
spec:
  version: {{.Version}}
  homepage: https://github.com/secretreview/secretreview
  shortDescription: Pull requests for secrets in AWS Secrets Manager
  description: |
    Propose, review and approve changes to the secrets of an environment. The values
    wait in AWS Secrets Manager and never enter the cluster; once enough people have
    approved a change, a controller makes exactly the reviewed values live.
  caveats: |
    The cluster needs the secretreview controller, and you need AWS credentials:
      https://github.com/secretreview/secretreview#install
    To see who you are and what you may do:
      kubectl {{.Plugin}} login
    To complete commands, link the plugin once more:
      ln -s kubectl-{{.Link}} "${KREW_ROOT:-$HOME/.krew}/bin/kubectl_complete-{{.Link}}"
  platforms:
{{- range .Archives}}
  - selector:
      matchLabels: {os: {{.OS}}, arch: {{.Arch}}}
    uri: https://github.com/secretreview/secretreview/releases/download/{{$.Version}}/{{.Name}}
    sha256: {{.SHA256}}
    files:
    - {from: {{.Binary}}, to: .}
    - {from: LICENSE, to: .}
    bin: {{.Binary}}
{{- end}}
`))

func (r *release) writeManifests(archives []archive) error {
	for _, plugin := range plugins {
		if err := r.writeManifest(filepath.Join(r.out, plugin+".krew.yaml"), plugin, archives); err != nil {
			return err
		}
	}
	return nil
}

func (r *release) writeManifest(path, plugin string, archives []archive) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	err = manifest.Execute(file, struct {
		Plugin, Link, Version string
		Archives              []archive
	}{plugin, linkName(plugin), r.version, archives})
	if err != nil {
		return err
	}
	return file.Close()
}

// linkName is a plugin's name in its program's: kubectl finds "a-b" as kubectl-a_b.
func linkName(plugin string) string { return strings.ReplaceAll(plugin, "-", "_") }
