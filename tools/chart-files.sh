#!/usr/bin/env bash
# Copies into the chart what config/ has once and for all: CRDs, admission policies and roles.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly files=charts/secretreview/files
# Of a folder of config/ as a folder of the chart's files.
copy() {
	rm -rf "${files:?}/$2"
	mkdir -p "$files/$2"
	find "config/$1" -maxdepth 1 -name '*.yaml' ! -name kustomization.yaml -exec cp -t "$files/$2" {} +
}

copy crd/bases crds
copy admission admission
copy admission/proposer proposer
copy rbac rbac
