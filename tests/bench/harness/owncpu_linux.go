package harness

import (
	"time"

	"golang.org/x/sys/unix"
)

// OwnCPU returns the time of all threads of this process on a processor. Usage reads /proc, which for a thread that runs is up
// to a tick of the kernel behind, 4 ms: exact for a process that waits, and useless for this one.
func OwnCPU() (time.Duration, error) {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &now); err != nil {
		return 0, notMeasured("processor time", err)
	}
	return time.Duration(now.Nano()), nil
}
