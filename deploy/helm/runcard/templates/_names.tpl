{{- define "runcard.name" -}}
{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "runcard.selector" -}}
app.kubernetes.io/name: runcard
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "runcard.labels" -}}
{{ include "runcard.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}
