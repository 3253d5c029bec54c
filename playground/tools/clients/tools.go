//go:build tools

// Package clients names the commands that are built from this module, so that `go mod tidy` keeps what they need.
package clients

import (
	_ "helm.sh/helm/v4/cmd/helm"
)
