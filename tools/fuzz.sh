#!/usr/bin/env bash
# Runs every fuzz target that there is, one after the other, each for FUZZTIME: fuzz.sh FUZZTIME. What breaks one is kept
# in testdata/fuzz beside it, where every later `go test` tries it again.
set -euo pipefail

binaries=$(mktemp -d)
trap 'rm -rf "$binaries"' EXIT
cache=$(go env GOCACHE)/fuzz
failed=()

mapfile -t folders < <(git grep -l '^func Fuzz' -- '*_test.go' | xargs -n1 dirname | sort -u)
for folder in "${folders[@]}"; do
	package=$(go list "./$folder")
	binary=$binaries/$(basename "$folder").test
	go test -c -fuzz=Fuzz -o "$binary" "$package"
	for target in $(cd "$folder" && "$binary" -test.list '^Fuzz'); do
		start=$SECONDS
		if (cd "$folder" && "$binary" -test.run '^$' -test.fuzz "^$target\$" -test.fuzztime "$1" -test.fuzzcachedir "$cache/$package") >"$binaries/log" 2>&1; then
			printf '%-12s %-44s %s, %d s\n' "$(basename "$folder")" "$target" "$(sed -nE 's/.*(execs: [0-9]+).*/\1/p' "$binaries/log" | tail -1)" $((SECONDS - start))
		else
			cat "$binaries/log"
			failed+=("$package $target")
		fi
	done
done
if [ ${#failed[@]} -gt 0 ]; then
	printf 'failed: %s\n' "${failed[@]}" >&2
	exit 1
fi
