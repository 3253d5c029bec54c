// Pins the module whose CRDs the chart's ServiceMonitor and PrometheusRule are tried with.
module meshops.dev/playground/tools/monitoring

go 1.26.0

require github.com/prometheus-operator/prometheus-operator v0.85.0
