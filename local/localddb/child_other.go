//go:build unix && !linux

package localddb

import "syscall"

// attributes put the child into its own process group, so that Ctrl-C reaches only this process,
// which then ends the child in order.
func attributes(syscall.Signal) *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
