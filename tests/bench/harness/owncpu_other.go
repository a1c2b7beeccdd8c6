//go:build !linux

package harness

import (
	"errors"
	"time"
)

// OwnCPU returns ErrNotMeasured: only Linux is measured.
func OwnCPU() (time.Duration, error) { return 0, notMeasured("processor time", errors.ErrUnsupported) }
