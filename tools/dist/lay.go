package dist

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lay links each binary that differs to its function's folder, and returns the names of the linked ones.
func lay(out string, functions []Function) ([]string, error) {
	var laid []string
	for _, fn := range functions {
		from := filepath.Join(out, binFolder, fn.Name)
		to := filepath.Join(out, fn.Name, bootstrap)
		same, err := sameContent(from, to)
		if err != nil {
			return nil, fmt.Errorf("lay %s: %w", fn.Name, err)
		}
		if same {
			// A binary that was linked again can be equal: keep one of the two.
			if err := unify(to, from); err != nil {
				return nil, fmt.Errorf("lay %s: %w", fn.Name, err)
			}
			continue
		}
		if err := replace(from, to); err != nil {
			return nil, fmt.Errorf("lay %s: %w", fn.Name, err)
		}
		laid = append(laid, fn.Name)
	}
	return laid, nil
}

// link links the bootstraps into another folder, which no build changes; an empty folder is none.
func link(out, folder string, functions []Function) error {
	if folder == "" {
		return nil
	}
	for _, fn := range functions {
		if err := replace(filepath.Join(out, fn.Name, bootstrap), filepath.Join(folder, fn.Name, bootstrap)); err != nil {
			return fmt.Errorf("link %s: %w", fn.Name, err)
		}
	}
	return nil
}

// lock waits until no other build writes to the folder. The system ends the lock with the process.
func lock(ctx context.Context, folder string) (unlock func(), err error) {
	file, err := os.Open(folder)
	if err != nil {
		return nil, fmt.Errorf("lock the output folder: %w", err)
	}
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = file.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(fmt.Errorf("lock the output folder: %w", err), file.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), file.Close())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// sameContent compares bytes, if the two are not one file. A file that does not exist differs.
func sameContent(a, b string) (bool, error) {
	fa, err := os.Open(a)
	if err != nil {
		return false, err
	}
	defer fa.Close()
	fb, err := os.Open(b)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer fb.Close()

	sa, err := fa.Stat()
	if err != nil {
		return false, err
	}
	sb, err := fb.Stat()
	if err != nil {
		return false, err
	}
	if sa.Size() != sb.Size() || sb.Mode().Perm() != 0o755 {
		return false, nil
	}
	if os.SameFile(sa, sb) {
		return true, nil
	}

	const chunk = 1 << 20
	bufA, bufB := make([]byte, chunk), make([]byte, chunk)
	for {
		na, errA := io.ReadFull(fa, bufA)
		nb, errB := io.ReadFull(fb, bufB)
		if !bytes.Equal(bufA[:na], bufB[:nb]) {
			return false, nil
		}
		if errA != nil || errB != nil {
			return atEnd(errA) && atEnd(errB), errors.Join(fault(errA), fault(errB))
		}
	}
}

func atEnd(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

func fault(err error) error {
	if atEnd(err) {
		return nil
	}
	return err
}

// replace makes to the same file as from, in one step, so that the disk holds the binary once. On another
// file system it is a copy. A process that runs the old file keeps it; writing into a running binary would
// fail.
func replace(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(filepath.Dir(to), ".laying-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	next := filepath.Join(work, bootstrap)
	if err := os.Link(from, next); err != nil {
		if err := copyFile(from, next); err != nil {
			return err
		}
	}
	// Lambda runs the file as another user.
	if err := os.Chmod(next, 0o755); err != nil {
		return err
	}
	// rename(2) does nothing if both names are links to one file.
	return os.Rename(next, to)
}

// unify makes to the same file as from, unless it is.
func unify(from, to string) error {
	a, errA := os.Stat(from)
	b, errB := os.Stat(to)
	if errA != nil || errB != nil || os.SameFile(a, b) {
		return errors.Join(errA, errB)
	}
	return replace(from, to)
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
