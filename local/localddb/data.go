package localddb

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lockFile is in every data folder. The process that holds its lock serves the folder.
const lockFile = ".lock"

// openData makes the data folder, if there is one, and locks it for this process. The lock ends with the
// process, or with closeData. Two engines on one folder break each other's requests.
func openData(cfg *Config) (*os.File, error) {
	if cfg.DataDir == "" {
		return nil, nil
	}
	dir, err := filepath.Abs(cfg.DataDir)
	if err != nil {
		return nil, fmt.Errorf("the data folder %s: %w", cfg.DataDir, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("the data folder cannot be made: %w", err)
	}
	cfg.DataDir = dir
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the data folder cannot be used: %w", err)
	}
	switch err := flock(f); {
	case err == nil, errors.Is(err, errors.ErrUnsupported): // a file system without locks is accepted
		return f, nil
	case errors.Is(err, syscall.EWOULDBLOCK):
		closeData(f)
		return nil, fmt.Errorf("the data folder %s is in use by another DynamoDB Local: stop that one, or choose another DATA folder", dir)
	default:
		closeData(f)
		return nil, fmt.Errorf("the data folder %s cannot be locked: %w", dir, err)
	}
}

// flock locks the file without waiting for it.
func flock(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// closeData unlocks the folder. It may be called twice, and with nil.
func closeData(f *os.File) {
	if f != nil {
		_ = f.Close() // nothing was written
	}
}
