package harness

import (
	"os"

	"golang.org/x/sys/unix"
)

// Evict takes a file out of the page cache, so that the next start reads it from the disk. It needs no right of root,
// and leaves the rest of the cache alone.
func Evict(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := file.Sync(); err != nil { // pages that are not written yet stay
		return notMeasured("page cache", err)
	}
	if err := unix.Fadvise(int(file.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
		return notMeasured("page cache", err)
	}
	return nil
}
