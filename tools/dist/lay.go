package dist

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// lay copies each binary that differs to its function's folder, and returns the names of the copied ones.
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
			continue
		}
		if err := replace(from, to); err != nil {
			return nil, fmt.Errorf("lay %s: %w", fn.Name, err)
		}
		laid = append(laid, fn.Name)
	}
	return laid, nil
}

// sameContent compares bytes, not times: go build changes the time of a binary even if it does not link it
// again. A file that does not exist differs.
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

// replace replaces to by a copy of from in one step. A process that runs the old file keeps it; writing
// into a running binary would fail.
func replace(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	tmp, err := os.CreateTemp(filepath.Dir(from), ".laying-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())

	_, err = io.Copy(tmp, in)
	// Lambda runs the file as another user.
	err = errors.Join(err, tmp.Chmod(0o755), tmp.Close())
	if err != nil {
		return err
	}
	return os.Rename(tmp.Name(), to)
}
