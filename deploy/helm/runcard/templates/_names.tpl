{{- define "runcard.name" -}}
{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "runcard.selector" -}}
app.kubernetes.io/name: runcard
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- /* Other than those of the servers, so that no request goes to the worker. */}}
{{- define "runcard.worker" -}}
app.kubernetes.io/name: runcard-worker
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "runcard.labels" -}}
{{ include "runcard.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "runcard.pod" -}}
serviceAccountName: {{ include "runcard.name" . }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "runcard.container" -}}
image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end }}

{{- /* Where the record and the columnar copy are, as variables, mounts and volumes. */}}
{{- define "runcard.variables" -}}
{{- if .Values.database.secret }}
- name: RUNCARD_DATABASE_URL_FILE
  value: /run/secrets/runcard/database/url
{{- end }}
{{- if .Values.columns.secret }}
- name: RUNCARD_COLUMNS_URL_FILE
  value: /run/secrets/runcard/columns/url
{{- end }}
{{- range $key, $value := .Values.settings }}
- name: RUNCARD_{{ upper $key }}
  {{- /* Helm reads every number as a floating one. */}}
  value: {{ ternary (printf "%.0f" $value) (toString $value) (kindIs "float64" $value) | quote }}
{{- end }}
{{- end }}

{{- define "runcard.mounts" -}}
{{- if .Values.database.secret }}
- name: database
  mountPath: /run/secrets/runcard/database
  readOnly: true
{{- end }}
{{- if .Values.columns.secret }}
- name: columns
  mountPath: /run/secrets/runcard/columns
  readOnly: true
{{- end }}
{{- end }}

{{- define "runcard.volumes" -}}
{{- with .Values.database.secret }}
- name: database
  secret:
    secretName: {{ . }}
    defaultMode: 0440
    items:
      - key: url
        path: url
{{- end }}
{{- with .Values.columns.secret }}
- name: columns
  secret:
    secretName: {{ . }}
    defaultMode: 0440
    items:
      - key: url
        path: url
{{- end }}
{{- end }}
