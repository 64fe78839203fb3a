{{- define "gvList" -}}
# API reference

Every field of both kinds, with its limits. Made from the comments and markers in `api/v1alpha1` by `make generate`: do not
edit it here. `kubectl explain secretchange.spec` shows the same on a cluster.

A field with an asterisk (*) is required. "Refused with" is what the API server answers where a rule is broken. Beside these
rules the [admission policies](security.md#who-may-do-what-and-what-stops-them) hold who may write
what.
{{ range . -}}
{{- $gv := . }}
## {{ $gv.GroupVersionString }}

{{ template "prose" $gv.Doc }}
{{ $seen := dict -}}
{{- range $gv.SortedKinds }}{{ template "walk" (dict "gv" $gv "seen" $seen "type" ($gv.TypeForKind .)) }}{{ end -}}
{{- end -}}
{{- end -}}

{{- /* walk shows a type, and then the types of its fields, each once. */ -}}
{{- define "walk" -}}
{{- $gv := .gv }}{{ $seen := .seen -}}
{{- if not (hasKey $seen .type.Name) }}{{ $_ := set $seen .type.Name true -}}
{{ template "type" . }}
{{- range .type.Fields }}
{{- with index $gv.Types (last (splitList "." .Type.String)) }}{{ template "walk" (dict "gv" $gv "seen" $seen "type" .) }}{{ end }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* prose is a comment on one line: in a table there is no other place for it. */ -}}
{{- define "prose" -}}
{{ trim . | replace "\n\n" "<br>" | replace "\n" " " | replace "&" "&amp;" | replace "<" "&lt;" | replace "&lt;br>" "<br>" | replace "|" "\\|" | replace "*" "\\*" }}
{{- end -}}
