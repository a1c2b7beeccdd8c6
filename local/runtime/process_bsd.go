//go:build unix && !linux

package runtime

import "syscall"

// isolated puts a process into its own group, so that Ctrl-C reaches only the parent, which then
// ends it in order. When the parent dies, the function sees its Runtime API vanish and exits.
func isolated() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// peakMemory is not told by these systems while a process runs.
func peakMemory(int) int64 { return 0 }
