//go:build linux || darwin

package healthcheck

import (
	"context"
	"fmt"
	"os"
	"syscall"
)

// TempSpace returns a Run that fails when the folder for temporary files, /tmp in Lambda, has
// less than minBytes free.
func TempSpace(minBytes uint64) func(context.Context) error {
	return func(context.Context) error {
		dir := os.TempDir()
		var stat syscall.Statfs_t
		if err := syscall.Statfs(dir, &stat); err != nil {
			return fmt.Errorf("statfs %s: %w", dir, err)
		}
		if free := stat.Bavail * uint64(stat.Bsize); free < minBytes {
			return fmt.Errorf("%s has %d bytes free, want %d", dir, free, minBytes)
		}
		return nil
	}
}
