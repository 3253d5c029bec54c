// Pins the modules whose files (not code) the playground reads: Cilium's and the Gateway API's CRDs, and Cilium's protos.
// A module of its own, so that their requirements do not move the versions of the API server's dependencies.
module meshops.dev/playground/tools/crds

go 1.26.0

require (
	github.com/cilium/cilium v1.20.2
	sigs.k8s.io/gateway-api v1.6.1
)
