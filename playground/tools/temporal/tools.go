//go:build tools

// Package temporal names the command that is built from this module, so that `go mod tidy` keeps what it needs.
package temporal

import (
	_ "github.com/temporalio/cli/cmd/temporal"
)
