//go:build unix

package runtime

import (
	"os"
	"syscall"
)

// terminate sends SIGTERM to a process.
func terminate(p *os.Process) { _ = p.Signal(syscall.SIGTERM) }

// killGroup kills every process of the group that the process pid leads.
func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }
