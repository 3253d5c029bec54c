{{/* Names: `meshops` for a release of that name, else `<release>-meshops`. */}}
{{- define "meshops.name" -}}
{{- if .Values.fullnameOverride }}{{ .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" }}{{ end -}}
{{- end -}}
{{- end }}

{{- define "meshops.selector" -}}
app.kubernetes.io/name: meshops
{{- if ne (include "meshops.name" .root) "meshops" }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{- define "meshops.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end }}

{{/* The account that acts in the cluster. */}}
{{- define "meshops.worker-subject" -}}
- kind: ServiceAccount
  name: {{ include "meshops.name" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}

{{/* Both accounts: a pod that is bot and worker in one has the worker's. */}}
{{- define "meshops.both-subjects" -}}
{{ include "meshops.worker-subject" . }}
- kind: ServiceAccount
  name: {{ include "meshops.name" . }}-bot
  namespace: {{ .Release.Namespace }}
{{- end }}

{{- define "meshops.port" -}}{{ dig "http" "port" 8080 .Values.config | int }}{{- end }}
{{- define "meshops.metrics-port" -}}{{ dig "http" "metricsPort" 9464 .Values.config | int }}{{- end }}

{{/* Folder of one cluster's Hubble certificate; the only cluster has no folder of its own. */}}
{{- define "meshops.hubble-folder" -}}
/etc/meshops/hubble{{ if gt (len .root.Values.config.clusters) 1 }}/{{ .cluster }}{{ end }}
{{- end }}

{{/* meshops.yaml: `config`, with what `clusterSecrets` says filled in. */}}
{{- define "meshops.config" -}}
{{- $root := . -}}
{{- $config := deepCopy .Values.config -}}
{{- range $name, $cluster := $config.clusters -}}
{{- $secrets := default dict (get $root.Values.clusterSecrets $name) -}}
{{- if not (hasKey $cluster "kubernetes") -}}
{{- if $secrets.kubeconfig -}}
{{- $kubernetes := dict "kubeconfig" (printf "/etc/meshops/kubeconfig/%s/kubeconfig" $name) -}}
{{- with $secrets.context }}{{ $_ := set $kubernetes "context" . }}{{ end -}}
{{- $_ := set $cluster "kubernetes" $kubernetes -}}
{{- else -}}
{{- $_ := set $cluster "kubernetes" (dict "inCluster" true) -}}
{{- end -}}
{{- end -}}
{{- if $secrets.hubble -}}
{{- $folder := include "meshops.hubble-folder" (dict "root" $root "cluster" $name) -}}
{{- $files := dict "caFile" (printf "%s/ca.crt" $folder) "certFile" (printf "%s/tls.crt" $folder) "keyFile" (printf "%s/tls.key" $folder) -}}
{{- $_ := set $cluster.hubble "tls" (merge (default dict $cluster.hubble.tls) $files) -}}
{{- end -}}
{{- end -}}
{{- range $name, $_ := .Values.clusterSecrets -}}
{{- if not (hasKey $config.clusters $name) }}{{ fail (printf "clusterSecrets.%s: config.clusters has no cluster of that name." $name) }}{{ end -}}
{{- end -}}
{{- if not .Values.postgres.enabled -}}
{{- if not $config.audit }}{{ $_ := set $config "audit" dict }}{{ end -}}
{{- if not $config.audit.database }}{{ $_ := set $config.audit "database" "/var/lib/meshops/meshops.db" }}{{ end -}}
{{- end -}}
{{- toYaml $config -}}
{{- end }}

{{/* Who is acted as: users and groups of `config.identities`, as JSON { own: { users, groups }, real: { users, groups } }. */}}
{{- define "meshops.identities" -}}
{{- $ownUsers := list }}{{ $realUsers := list }}{{ $groups := list -}}
{{- $rules := default list .Values.config.identities.rules -}}
{{- range $rule := $rules -}}
{{- $groups = concat $groups (default list $rule.groups) -}}
{{- $user := default "meshops:{email}" $rule.user -}}
{{- if not (hasPrefix "*@" $rule.email) -}}
{{- /* Addresses are small letters to meshops. */ -}}
{{- $name := replace "{email}" (lower $rule.email) $user -}}
{{- if hasPrefix "meshops:" $name }}{{ $ownUsers = append $ownUsers $name }}{{ else }}{{ $realUsers = append $realUsers $name }}{{ end -}}
{{- end -}}
{{- end -}}
{{- range default list .Values.config.identities.usergroups -}}
{{- $groups = concat $groups (default list .groups) -}}
{{- $user := default "meshops:{email}" .user -}}
{{- /* Whose name has an address in it is named in rbac.people: Kubernetes takes names, no patterns. */ -}}
{{- if not (contains "{email}" $user) -}}
{{- if hasPrefix "meshops:" $user }}{{ $ownUsers = append $ownUsers $user }}{{ else }}{{ $realUsers = append $realUsers $user }}{{ end -}}
{{- end -}}
{{- end -}}
{{- with .Values.config.identities.default }}{{ $groups = concat $groups (default list .groups) }}{{ end -}}
{{- range $person := .Values.rbac.people -}}
{{- $email := lower $person -}}
{{- $user := "" -}}
{{- range $rule := $rules -}}
{{- if and (not $user) (hasPrefix "*@" $rule.email) (hasSuffix (trimPrefix "*" (lower $rule.email)) $email) }}{{ $user = default "meshops:{email}" $rule.user }}{{ end -}}
{{- end -}}
{{- range default list $.Values.config.identities.usergroups -}}
{{- if and (not $user) (contains "{email}" (default "meshops:{email}" .user)) }}{{ $user = default "meshops:{email}" .user }}{{ end -}}
{{- end -}}
{{- if and (not $user) $.Values.config.identities.default }}{{ $user = default "{email}" $.Values.config.identities.default.user }}{{ end -}}
{{- if not $user }}{{ fail (printf "rbac.people: no rule of config.identities is for %s." $email) }}{{ end -}}
{{- $name := replace "{email}" $email $user -}}
{{- if hasPrefix "meshops:" $name }}{{ $ownUsers = append $ownUsers $name }}{{ else }}{{ $realUsers = append $realUsers $name }}{{ end -}}
{{- end -}}
{{- $ownGroups := list }}{{ $realGroups := list -}}
{{- range uniq $groups -}}
{{- if hasPrefix "system:" . }}{{ fail (printf "config.identities: nobody is made %s through Slack." .) }}{{ end -}}
{{- if hasPrefix "meshops:" . }}{{ $ownGroups = append $ownGroups . }}{{ else }}{{ $realGroups = append $realGroups . }}{{ end -}}
{{- end -}}
{{- range concat $ownUsers $realUsers -}}
{{- if hasPrefix "system:" . }}{{ fail (printf "config.identities: nobody is made %s through Slack." .) }}{{ end -}}
{{- end -}}
{{- dict "own" (dict "users" (uniq $ownUsers) "groups" $ownGroups) "real" (dict "users" (uniq $realUsers) "groups" $realGroups) | toJson -}}
{{- end }}
