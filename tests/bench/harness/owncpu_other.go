//go:build !linux

package harness

import (
	"errors"
	"time"
)

// OwnCPU returns the time of all threads of this process on a processor. It is measured on Linux alone, as all else.
func OwnCPU() (time.Duration, error) { return 0, notMeasured("processor time", errors.ErrUnsupported) }
