{{- /* type shows one type. It fails where something has no comment, so that nothing is left without one. */ -}}
{{- define "type" -}}
{{- $gv := .gv }}{{ $type := .type -}}
{{- if not $type.Doc }}{{ fail (printf "%s has no comment" $type.Name) }}{{ end }}
### {{ $type.Name }}

{{ template "prose" $type.Doc }}
{{ range index $type.Markers "kubebuilder:resource" }}
Short name: `{{ join "`, `" .ShortName }}`. Field selectors: {{ range $i, $f := index $type.Markers "kubebuilder:selectablefield" }}{{ if $i }}, {{ end }}`{{ trimPrefix "." $f.JSONPath }}`{{ end }}.
{{ end }}
{{- if not $type.EnumValues }}{{ range $type.Validation }}
{{ if hasPrefix "ExactlyOneOf: " . }}Exactly one of them is set: `{{ trimPrefix "ExactlyOneOf: [" . | trimSuffix "]" | replace " " "`, `" }}`.{{ else }}{{ template "limit" . }}{{ end }}
{{ end }}{{ end -}}
{{- with index $type.Markers "kubebuilder:validation:XValidation" }}
Refused with:
{{ range . }}
- {{ template "prose" .Message }}
{{- end }}
{{ end -}}
{{- if $type.Fields }}
| field | type | meaning |
| --- | --- | --- |
{{ range $type.Fields -}}
{{- if not .Doc }}{{ fail (printf "%s.%s has no comment" $type.Name .Name) }}{{ end -}}
| `{{ .Name }}`{{ if index .Markers "required" }} \*{{ end }} | {{ template "fieldType" (dict "gv" $gv "type" .Type) }} | {{ template "meaning" . }} |
{{ end -}}
{{- end -}}
{{- if $type.EnumValues }}
| value | meaning |
| --- | --- |
{{ range $type.EnumValues -}}
{{- if not .Doc }}{{ fail (printf "%s %s has no comment" $type.Name .Name) }}{{ end -}}
| `{{ .Name }}` | {{ template "prose" (regexReplaceAll "^[A-Za-z]+: " .Doc "") }} |
{{ end -}}
{{- end -}}
{{- end -}}

{{- define "fieldType" -}}
{{- $name := last (splitList "." .type.String) | trimPrefix "[]" | trimPrefix "*" -}}
{{- if hasPrefix "[]" .type.String }}list of {{ end -}}
{{- if index .gv.Types $name }}[{{ $name }}](#{{ lower $name }})
{{- else if eq $name "Condition" }}[Condition](https://pkg.go.dev/k8s.io/apimachinery/pkg/apis/meta/v1#Condition)
{{- else if has $name (list "Time" "MicroTime") }}time
{{- else if eq $name "Duration" }}duration, as `1h30m`
{{- else if hasPrefix "int" $name }}integer
{{- else if eq $name "bool" }}boolean
{{- else }}string{{ end -}}
{{- end -}}

{{- /* meaning is a field's comment, and after it its default, its limits and its rules. */ -}}
{{- define "meaning" -}}
{{ template "prose" .Doc }}
{{- if and .Default (not (contains "{" .Default)) }} Default: `{{ .Default }}`.{{ end -}}
{{- range .Validation }}{{ if not (regexMatch "^(Required|Optional|Enum|ExactlyOneOf):" .) }}<br>{{ template "limit" . }}{{ end }}{{ end -}}
{{- if not .Type.Members }}{{ range index .Markers "kubebuilder:validation:XValidation" }}<br>Refused with: {{ template "prose" .Message }}{{ end }}{{ end -}}
{{- end -}}

{{- /* limit is a limit of the schema, as "maxLength: 63". */ -}}
{{- define "limit" -}}
{{ lower (substr 0 1 .) }}{{ substr 1 -1 . | replace "|" "\\|" }}
{{- end -}}
