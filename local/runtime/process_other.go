//go:build !unix

package runtime

import (
	"os"
	"syscall"
)

// isolated changes nothing. When the parent dies, the function sees its Runtime API vanish and
// exits.
func isolated() *syscall.SysProcAttr { return nil }

// terminate kills: there is no SIGTERM.
func terminate(p *os.Process) { _ = p.Kill() }

// killGroup does nothing: there are no process groups.
func killGroup(int) {}

// peakMemory is not read on these systems.
func peakMemory(int) int64 { return 0 }
