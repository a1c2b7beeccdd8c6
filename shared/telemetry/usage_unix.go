//go:build unix

package telemetry

import (
	"syscall"
	"time"
)

// processCPU returns the CPU time that the process has used.
func processCPU() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
