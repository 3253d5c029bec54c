{{/* Container and volumes of a process. root; component: bot, worker or single; values: its part of the values; account; cluster: "" or the only one. */}}
{{- define "meshops.deployment" -}}
{{- $root := .root -}}
{{- $labels := dict "root" $root "component" .component -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .name }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "meshops.selector" $labels | nindent 4 }}
    {{- with .cluster }}
    meshops.dev/cluster: {{ . }}
    {{- end }}
spec:
  replicas: {{ .replicas }}
  selector:
    matchLabels:
      {{- include "meshops.selector" $labels | nindent 6 }}
      {{- with .cluster }}
      meshops.dev/cluster: {{ . }}
      {{- end }}
  strategy:
    {{- if $root.Values.postgres.enabled }}
    rollingUpdate: { maxUnavailable: 0, maxSurge: 1 }
    {{- else }}
    # Two processes do not share a SQLite file.
    type: Recreate
    {{- end }}
  template:
    metadata:
      labels:
        {{- include "meshops.selector" $labels | nindent 8 }}
        {{- with .cluster }}
        meshops.dev/cluster: {{ . }}
        {{- end }}
      annotations:
        prometheus.io/scrape: "true"
        prometheus.io/port: {{ include "meshops.metrics-port" $root | quote }}
        prometheus.io/path: /metrics
    spec:
      serviceAccountName: {{ .account }}
      terminationGracePeriodSeconds: 45
      {{- with $root.Values.image.pullSecrets }}
      imagePullSecrets:
        {{- range . }}
        - name: {{ . }}
        {{- end }}
      {{- end }}
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        runAsGroup: 10001
        fsGroup: 10001
        seccompProfile: { type: RuntimeDefault }
      {{- with .values.nodeSelector }}
      nodeSelector: {{ toJson . }}
      {{- end }}
      {{- with .values.tolerations }}
      tolerations: {{ toJson . }}
      {{- end }}
      {{- with .values.affinity }}
      affinity: {{ toJson . }}
      {{- end }}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              {{- include "meshops.selector" $labels | nindent 14 }}
      containers:
        - name: meshops
          image: {{ include "meshops.image" $root }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          args: {{ concat (list .command "--config" "/etc/meshops/config/meshops.yaml") (ternary (list "--cluster" .cluster) list (ne .cluster "")) | toJson }}
          ports:
            - { name: http, containerPort: {{ include "meshops.port" $root }} }
            - { name: metrics, containerPort: {{ include "meshops.metrics-port" $root }} }
          env:
            - name: SLACK_BOT_TOKEN
              valueFrom: { secretKeyRef: { name: {{ $root.Values.secrets.name }}, key: slack-bot-token } }
            {{- if ne .component "worker" }}
            # Socket Mode needs the app token, HTTP mode the signing secret.
            - name: SLACK_APP_TOKEN
              valueFrom: { secretKeyRef: { name: {{ $root.Values.secrets.name }}, key: slack-app-token, optional: true } }
            - name: SLACK_SIGNING_SECRET
              valueFrom: { secretKeyRef: { name: {{ $root.Values.secrets.name }}, key: slack-signing-secret, optional: true } }
            {{- end }}
            {{- if $root.Values.postgres.enabled }}
            # Replicas share one Postgres: requests taken once, one audit record.
            - name: DATABASE_URL
              valueFrom: { secretKeyRef: { name: {{ $root.Values.secrets.name }}, key: database-url } }
            {{- end }}
            # As many as `replicas`: more than one process refuses a SQLite file.
            - { name: MESHOPS_REPLICAS, value: {{ .replicas | quote }} }
            # Payloads in Temporal are encrypted with it. Left out: they are not.
            - name: MESHOPS_PAYLOAD_KEY
              valueFrom: { secretKeyRef: { name: {{ $root.Values.secrets.name }}, key: payload-key, optional: true } }
            # Where the Temporal service asks for one.
            - name: TEMPORAL_API_KEY
              valueFrom: { secretKeyRef: { name: {{ $root.Values.secrets.name }}, key: temporal-api-key, optional: true } }
            {{- with $root.Values.env }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          startupProbe:
            httpGet: { path: /healthz, port: http }
            periodSeconds: 2
            failureThreshold: 30
          livenessProbe:
            httpGet: { path: /healthz, port: http }
            periodSeconds: 10
          readinessProbe:
            httpGet: { path: /readyz, port: http }
            periodSeconds: 5
          resources: {{ toJson .values.resources }}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: { drop: [ALL] }
          volumeMounts:
            # The folder, not the file: a file mounted alone would never be updated.
            - { name: config, mountPath: /etc/meshops/config, readOnly: true }
            - { name: tmp, mountPath: /tmp }
            {{- range $cluster, $secrets := $root.Values.clusterSecrets }}
            {{- if or (eq $.cluster "") (eq $.cluster $cluster) }}
            {{- with $secrets.hubble }}
            - { name: hubble-{{ $cluster }}, mountPath: {{ include "meshops.hubble-folder" (dict "root" $root "cluster" $cluster) }}, readOnly: true }
            {{- end }}
            {{- with $secrets.kubeconfig }}
            - { name: kubeconfig-{{ $cluster }}, mountPath: /etc/meshops/kubeconfig/{{ $cluster }}, readOnly: true }
            {{- end }}
            {{- end }}
            {{- end }}
            {{- range $secret, $path := $root.Values.secretMounts }}
            - { name: files-{{ $secret }}, mountPath: {{ $path }}, readOnly: true }
            {{- end }}
            {{- if not $root.Values.postgres.enabled }}
            - { name: data, mountPath: /var/lib/meshops }
            {{- end }}
      volumes:
        - name: config
          configMap: { name: {{ include "meshops.name" $root }} }
        - name: tmp
          emptyDir: { sizeLimit: 256Mi }
        {{- range $cluster, $secrets := $root.Values.clusterSecrets }}
        {{- if or (eq $.cluster "") (eq $.cluster $cluster) }}
        {{- with $secrets.hubble }}
        # A client certificate that the agents trust, such as a copy of hubble-relay-client-certs of kube-system.
        - name: hubble-{{ $cluster }}
          secret: { secretName: {{ . }}, optional: true }
        {{- end }}
        {{- with $secrets.kubeconfig }}
        - name: kubeconfig-{{ $cluster }}
          secret: { secretName: {{ . }} }
        {{- end }}
        {{- end }}
        {{- end }}
        {{- range $secret, $path := $root.Values.secretMounts }}
        - name: files-{{ $secret }}
          secret: { secretName: {{ $secret }} }
        {{- end }}
        {{- if not $root.Values.postgres.enabled }}
        - name: data
          persistentVolumeClaim: { claimName: {{ include "meshops.name" $root }} }
        {{- end }}
{{- end }}
