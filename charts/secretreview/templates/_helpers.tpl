{{/* Names are fixed: an installation is one to a cluster, and the manager knows them. */}}
{{- define "secretreview.name" -}}secretreview-manager{{- end }}

{{- define "secretreview.selector" -}}
app.kubernetes.io/name: secretreview
app.kubernetes.io/component: manager
{{- end }}

{{- define "secretreview.labels" -}}
{{ include "secretreview.selector" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "secretreview.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end }}

{{/* The manager's user name. */}}
{{- define "secretreview.user" -}}
system:serviceaccount:{{ .Release.Namespace }}:{{ .Values.serviceAccount.name }}
{{- end }}

{{/* The objects in the files that a glob names, as YAML of {items: [...]}, because templates give text only. */}}
{{- define "secretreview.objects" -}}
{{- $items := list }}
{{- range $path, $_ := .root.Files.Glob .glob }}
{{- range regexSplit "(?m)^---$" ($.root.Files.Get $path) -1 }}
{{- with fromYaml . }}{{ $items = append $items . }}{{ end }}
{{- end }}
{{- end }}
{{- toYaml (dict "items" $items) }}
{{- end }}

{{/* A list of names as the policies want it in CEL: ['one', 'two']. */}}
{{- define "secretreview.celList" -}}
{{- $quoted := list }}
{{- range . }}{{ $quoted = append $quoted (printf "'%s'" (. | replace "\\" "\\\\" | replace "'" "\\'")) }}{{ end -}}
[{{ join ", " $quoted }}]
{{- end }}

{{/* Annotations by which helm and Argo CD leave an object behind. */}}
{{- define "secretreview.keep" -}}
helm.sh/resource-policy: keep
argocd.argoproj.io/sync-options: Prune=false,Delete=false
{{- end }}

{{/* Adds the release's labels to an object, what keeps it when the release goes, and the wave in which Argo CD syncs it. */}}
{{- define "secretreview.adopt" -}}
{{- $metadata := .object.metadata }}
{{- $_ := set $metadata "labels" (merge (default dict $metadata.labels) (include "secretreview.labels" .root | fromYaml)) }}
{{- $annotations := default dict $metadata.annotations }}
{{- if .wave }}
{{- $annotations = merge $annotations (dict "argocd.argoproj.io/sync-wave" .wave) }}
{{- end }}
{{- if .keep }}
{{- $annotations = merge $annotations (include "secretreview.keep" .root | fromYaml) }}
{{- end }}
{{- if $annotations }}
{{- $_ := set $metadata "annotations" $annotations }}
{{- end }}
{{- end }}

{{- define "secretreview.args" -}}
- --cluster-name={{ .Values.clusterName }}
- --prefix={{ .Values.prefix }}
- --require-owner-tag={{ .Values.requireOwnerTag }}
{{- with .Values.identities }}
{{- range $flag, $names := dict "gitops-appliers" .gitopsAppliers "backup-accounts" .backupAccounts "reviewing-service-accounts" .reviewingServiceAccounts "proposing-service-accounts" .proposingServiceAccounts "session-enforced-roles" .sessionEnforcedRoles }}
{{- range $names }}
- {{ printf "--%s=%s" $flag . | quote }}
{{- end }}
{{- end }}
{{- end }}
- --sweep-interval={{ .Values.sweep.interval }}
- --sweep-grace={{ .Values.sweep.grace }}
- --consistency-grace={{ .Values.consistencyGrace }}
- --project-grace={{ .Values.projectGrace }}
- --concurrency={{ .Values.concurrency }}
- --leader-elect
- --lease-duration={{ .Values.leaderElection.leaseDuration }}
- --renew-deadline={{ .Values.leaderElection.renewDeadline }}
- --metrics-bind-address=:8443
{{- if .Values.metrics.certificateSecret }}
- --metrics-cert-dir=/etc/secretreview/metrics
{{- end }}
- --health-probe-bind-address=:8081
{{- with .Values.aws.account }}
- --aws-account={{ . }}
{{- end }}
- --aws-writes-per-second={{ .Values.aws.writesPerSecond }}
- --aws-max-attempts={{ .Values.aws.maxAttempts }}
- --aws-request-timeout={{ .Values.aws.requestTimeout }}
- --log-level={{ .Values.log.level }}
- --log-format={{ .Values.log.format }}
{{- end }}

{{- define "secretreview.env" -}}
- name: POD_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
- name: AWS_REGION
  value: {{ .Values.aws.region }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "secretreview.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: ["ALL"]
{{- end }}

{{- define "secretreview.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}
