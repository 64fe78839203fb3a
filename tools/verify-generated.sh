#!/usr/bin/env bash
# Fails when `make generate` changes a file, and shows how. Compared with the files as they are, not with what is
# committed, so it can be run before a commit. The files are left up to date.
set -euo pipefail

generated=(api config/crd/bases charts/secretreview/files gitops/argocd/argocd-cm.yaml docs/api.md docs/cli.md)
before=$(mktemp -d)
trap 'rm -rf "$before"' EXIT

cp -R --parents "${generated[@]}" "$before"
make --no-print-directory generate
for folder in "${generated[@]}"; do
	if ! diff -ru "$before/$folder" "$folder"; then
		echo "generated files in $folder were stale: commit what \`make generate\` made" >&2
		exit 1
	fi
done
echo "generated files are up to date"
