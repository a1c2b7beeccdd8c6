package builder

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// lockSuffix is the end of the name of a folder's lock file, which is beside the folder. The system ends
// the lock when the process ends, however it ends.
const lockSuffix = ".lock"

// claim makes a new folder in parent for this process, and removes those that no process holds.
func claim(parent string) (folder string, release func() error, err error) {
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", nil, err
	}
	// One process at a time claims and cleans: a folder and its lock appear together.
	door, err := hold(parent+lockSuffix, syscall.LOCK_EX)
	if err != nil {
		return "", nil, err
	}
	defer door.Close()
	if err := clean(parent); err != nil {
		return "", nil, err
	}
	if folder, err = os.MkdirTemp(parent, "run-"); err != nil {
		return "", nil, err
	}
	held, err := hold(folder+lockSuffix, syscall.LOCK_EX)
	if err != nil {
		return "", nil, err
	}
	return folder, func() error {
		return errors.Join(os.RemoveAll(folder), os.Remove(folder+lockSuffix), held.Close())
	}, nil
}

// clean removes the folders in parent whose lock nobody holds.
func clean(parent string) error {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		folder := filepath.Join(parent, e.Name())
		held, err := hold(folder+lockSuffix, syscall.LOCK_EX|syscall.LOCK_NB)
		if errors.Is(err, syscall.EWOULDBLOCK) {
			continue // its process lives
		}
		if err != nil {
			return err
		}
		if err := errors.Join(os.RemoveAll(folder), os.Remove(folder+lockSuffix), held.Close()); err != nil {
			return err
		}
	}
	return nil
}

// hold locks a file, which it makes if it is not there.
func hold(path string, how int) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(file.Fd()), how)
		if err == nil {
			return file, nil
		}
		if !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(err, file.Close())
		}
	}
}
