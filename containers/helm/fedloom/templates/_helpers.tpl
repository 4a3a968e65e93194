{{/* The beginning of all names, of at most 40 characters, since names of services have at most 63. */}}
{{- define "fedloom.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* By which pods are found. Takes (dict "root" . "component" "server"). */}}
{{- define "fedloom.selector" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "fedloom.labels" -}}
{{ include "fedloom.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{/* Takes (dict "root" . "image" .Values.images.server). */}}
{{- define "fedloom.image" -}}
{{- printf "%s:%s" .image.repository (default .root.Chart.AppVersion .image.tag) -}}
{{- end -}}

{{/* Where people open the page; empty where nobody has said it. */}}
{{- define "fedloom.publicUrl" -}}
{{- if .Values.publicUrl -}}
{{- .Values.publicUrl -}}
{{- else if .Values.ingress.enabled -}}
{{- $host := required "ingress.host is needed: the name under which people open the page" .Values.ingress.host -}}
{{- printf "%s://%s%s" (ternary "https" "http" .Values.ingress.tls.enabled) $host (trimSuffix "/" .Values.ingress.path) -}}
{{- end -}}
{{- end -}}

{{/* What whoever prints the page's address is told. */}}
{{- define "fedloom.publicUrlArgs" -}}
{{- with include "fedloom.publicUrl" . -}}
- --public-url
- {{ . | quote }}
{{- end -}}
{{- end -}}

{{/* The same, for whoever serves the page. */}}
{{- define "fedloom.pageArgs" -}}
{{- include "fedloom.publicUrlArgs" . }}
{{- range .Values.trustedProxies }}
- --trusted-proxy
- {{ . | quote }}
{{- end }}
{{- end -}}

{{/* Whether the server is reached by HTTPS in the cluster. */}}
{{- define "fedloom.serverScheme" -}}
{{- ternary "https" "http" (not (empty .Values.server.tls.existingSecret)) -}}
{{- end -}}

{{- define "fedloom.replicaSecret" -}}
{{- default (printf "%s-replica-key" (include "fedloom.fullname" .)) .Values.replicaKey.existingSecret -}}
{{- end -}}

{{/* What server and clients are told of folders. FEDLOOM_HOME is one in the volume, so that it is made by its user, for them
alone; and it is not where the images have volumes of their own, which would lie over this one. Takes `data` of values. */}}
{{- define "fedloom.folders" -}}
- name: FEDLOOM_HOME
  value: /srv/fedloom/home
- name: FEDLOOM_DATA_DIR
  value: {{ ternary "/data" "/srv/fedloom/data" (not (empty .existingClaim)) }}
{{ include "fedloom.env" . }}
{{- end -}}

{{- define "fedloom.env" -}}
- name: HOME
  value: /tmp
- name: FLWR_TELEMETRY_ENABLED
  value: "0"
{{- end -}}

{{/* The part of a pod that says who it is and where it may run. Takes (dict "root" . "component" "server" "of" .Values.server). */}}
{{- define "fedloom.pod" -}}
serviceAccountName: {{ include "fedloom.fullname" .root }}-{{ .component }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.images.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- toYaml .root.Values.podSecurityContext | nindent 2 }}
{{- with .of.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .of.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .of.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* A claim that a StatefulSet makes for each of its pods. Takes the `persistence` of values. */}}
{{- define "fedloom.claim" -}}
metadata:
  name: home
spec:
  accessModes: [ReadWriteOnce]
  {{- with .storageClass }}
  storageClassName: {{ . | quote }}
  {{- end }}
  resources:
    requests:
      storage: {{ .size | quote }}
{{- end -}}
