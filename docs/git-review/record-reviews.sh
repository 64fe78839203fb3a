#!/bin/sh
# Writes who approved a pull request into the manifest of a change. It asks no cluster.
#
#   record-reviews.sh MANIFEST PEOPLE WHERE AUTHOR APPROVER...
#
# PEOPLE is a file with a line "login user" for each person: their name at the Git host, and the one by which the cluster
# knows them. WHERE says where the reviews were given. AUTHOR opened the pull request, and must be who the change says
# proposed it, or somebody could propose in another's name and approve it in their own.
set -eu

manifest=$1 people=$2 where=$3 author=$4
shift 4

user() { awk -v login="$1" '$1 == login { print $2; exit }' "$people"; }

proposer=$(kubectl patch --local -f "$manifest" --type=merge -p '{}' -o 'jsonpath={.spec.proposedBy}')
if [ -z "$proposer" ] || [ "$(user "$author")" != "$proposer" ]; then
  echo "$manifest is proposed by $proposer, and the pull request is by $author: nothing is recorded" >&2
  exit 1
fi

reviews=
for login in "$@"; do
  reviewer=$(user "$login")
  if [ -z "$reviewer" ]; then
    echo "$login is not in people: this approval is left out" >&2
    continue
  fi
  reviews="$reviews,{\"reviewer\":\"$reviewer\",\"verdict\":\"Approved\",\"comment\":\"Approved in $where\"}"
done
if [ -z "$reviews" ]; then
  echo "nobody who approved is in people: nothing is recorded" >&2
  exit 1
fi

patched=$(kubectl patch --local -f "$manifest" --type=merge -p "{\"spec\":{\"reviews\":[${reviews#,}]}}" -o yaml)
printf '%s\n' "$patched" >"$manifest"
