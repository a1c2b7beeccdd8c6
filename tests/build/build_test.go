// Package build_test holds the build to its promises on the real tree: the same sources give the
// same binaries wherever they lie, and a second build does nothing and at once.
package build_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/tools/dist"
)

// root is the repository, seen from this package's folder.
const root = "../.."

func TestTwoFoldersGiveEqualHashes(t *testing.T) {
	t.Parallel()
	for _, goarch := range []string{"arm64", "amd64"} {
		t.Run(goarch, func(t *testing.T) {
			t.Parallel()
			// Folders of different length and depth, so that a path in a binary shows.
			here := hashes(t, clone(t, "a"), goarch)
			there := hashes(t, clone(t, filepath.Join("another", "folder", "of", "tienda")), goarch)
			if diff := cmp.Diff(here, there); diff != "" {
				t.Errorf("the same sources gave other binaries in another folder (-here +there):\n%s", diff)
			}
		})
	}
}

func TestSecondBuildDoesNothingAndAtOnce(t *testing.T) {
	t.Parallel()
	o := dist.Options{Root: clone(t, "tienda"), Out: "dist", GOARCH: "arm64"}
	if _, err := dist.Build(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if err := dist.Check(t.Context(), o); err != nil {
		t.Errorf("what Build laid is refused: %v", err)
	}
	before := files(t, filepath.Join(o.Root, "dist"))

	// The best of three: the tests of other packages run at the same time.
	best := time.Hour
	for range 3 {
		began := time.Now()
		result, err := dist.Build(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		best = min(best, time.Since(began))
		if len(result.Laid) > 0 || len(result.Removed) > 0 {
			t.Errorf("an unchanged tree laid %v and removed %v, want nothing", result.Laid, result.Removed)
		}
	}
	if best > time.Second {
		t.Errorf("a build of an unchanged tree took %s, want less than 1 s", best)
	}
	if diff := cmp.Diff(before, files(t, filepath.Join(o.Root, "dist"))); diff != "" {
		t.Errorf("a build of an unchanged tree wrote files (-before +after):\n%s", diff)
	}
}

// clone copies what a function's binary is made of into a new folder, with one function of each resource: all of them go
// the same way, and a link takes a second.
func clone(t *testing.T, folder string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), folder)
	for _, source := range []string{"go.mod", "go.sum", "authorizer", "functions", "shared"} {
		err := filepath.WalkDir(filepath.Join(root, source), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			rel, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			copied := filepath.Join(to, rel)
			if err := os.MkdirAll(filepath.Dir(copied), 0o755); err != nil {
				return err
			}
			return os.WriteFile(copied, content, 0o600)
		})
		if err != nil {
			t.Fatal(err)
		}
	}

	functions, err := dist.Functions(to)
	if err != nil {
		t.Fatal(err)
	}
	kept := map[string]bool{}
	for _, fn := range functions {
		resource := filepath.Dir(fn.Folder)
		if kept[resource] {
			if err := os.Remove(filepath.Join(to, fn.Folder, "main.go")); err != nil {
				t.Fatal(err)
			}
		}
		kept[resource] = true
	}
	return to
}

func hashes(t *testing.T, folder, goarch string) map[string]string {
	t.Helper()
	result, err := dist.Build(t.Context(), dist.Options{Root: folder, Out: "dist", GOARCH: goarch})
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]string{}
	for _, fn := range result.Functions {
		content, err := os.ReadFile(filepath.Join(folder, "dist", fn.Name, "bootstrap"))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(content)
		sums[fn.Name] = hex.EncodeToString(sum[:])
	}
	return sums
}

// files lists each bootstrap with the time of its last change.
func files(t *testing.T, folder string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*", "bootstrap"))
	if err != nil {
		t.Fatal(err)
	}
	for i, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		paths[i] = strings.Join([]string{path, info.ModTime().Format(time.RFC3339Nano)}, " ")
	}
	slices.Sort(paths)
	return paths
}
