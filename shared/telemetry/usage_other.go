//go:build !unix

package telemetry

import "time"

// processCPU returns 0: unknown.
func processCPU() time.Duration { return 0 }
