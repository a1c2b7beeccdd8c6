package localddb

import "syscall"

// attributes put the child into its own process group, so that Ctrl-C reaches only this process,
// which then ends the child in order; the kernel ends it when this process dies without a chance to.
func attributes(death syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: death}
}
