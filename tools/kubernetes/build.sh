#!/usr/bin/env bash
# Builds one program of the Kubernetes release that a tool module pins: build.sh MODULE-FOLDER PROGRAM OUTPUT
#
# The release is stamped in as Kubernetes' own build does. Without it the programs say v0.0.0, which kubectl and
# Helm refuse to work with.
set -euo pipefail

module=$1 program=$2 output=$3

cd "$module"
version=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
IFS=. read -r major minor _ <<<"${version#v}"

flags="-s -w"
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
	flags+=" -X $package.gitVersion=$version -X $package.gitMajor=$major -X $package.gitMinor=$minor"
	flags+=" -X $package.gitTreeState=clean"
done

mkdir -p "$(dirname "$output")"
CGO_ENABLED=0 go build -trimpath -ldflags "$flags" -o "$output" "k8s.io/kubernetes/cmd/$program"
