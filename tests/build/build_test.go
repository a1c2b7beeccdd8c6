// Package build_test builds the real tree: the same sources give the same binaries in every folder, and a
// second build changes nothing.
package build_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/tools/dist"
)

// root is the repository, seen from this package's folder.
const root = "../.."

func TestTwoFoldersGiveEqualHashes(t *testing.T) {
	t.Parallel()
	// Folders of different length and depth, so that a path in a binary shows.
	here := hashes(t, clone(t, "a"), "arm64")
	there := hashes(t, clone(t, filepath.Join("another", "folder", "of", "tienda")), "arm64")
	if diff := cmp.Diff(here, there); diff != "" {
		t.Errorf("the same sources gave other binaries in another folder (-here +there):\n%s", diff)
	}
}

func TestSecondBuildChangesNothing(t *testing.T) {
	t.Parallel()
	o := dist.Options{Root: clone(t, "tienda"), Out: "dist", GOARCH: "arm64"}
	first, err := dist.Build(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := dist.Check(t.Context(), o); err != nil {
		t.Errorf("Check refuses the output of Build: %v", err)
	}
	bootstraps, linked := files(t, o.Root, "dist/*/bootstrap"), files(t, o.Root, "dist/.bin/*")

	second, err := dist.Build(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(dist.Result{Functions: first.Functions}, second); diff != "" {
		t.Errorf("result of the second build (-want +got):\n%s", diff)
	}
	// go build changes the time of a binary that is up to date, but writes a new file for one that it links.
	for path, before := range linked {
		if after := files(t, o.Root, "dist/.bin/*")[path]; !os.SameFile(before, after) {
			t.Errorf("the second build linked %s again", path)
		}
	}
	for path, before := range bootstraps {
		after := files(t, o.Root, "dist/*/bootstrap")[path]
		if !os.SameFile(before, after) || !after.ModTime().Equal(before.ModTime()) {
			t.Errorf("the second build wrote %s", path)
		}
	}
	if len(bootstraps) != len(first.Functions) || len(linked) != len(first.Functions) {
		t.Errorf("%d functions have %d bootstraps and %d binaries", len(first.Functions), len(bootstraps), len(linked))
	}
}

// clone copies the sources of the functions into a new folder, with one function of each resource: all are
// built the same way, and linking takes a second.
func clone(t *testing.T, folder string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), folder)
	for _, source := range []string{"go.mod", "go.sum", "authorizer", "functions", "internal", "shared"} {
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

// files returns the files that match the pattern in the folder.
func files(t *testing.T, folder, pattern string) map[string]os.FileInfo {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, filepath.FromSlash(pattern)))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]os.FileInfo{}
	for _, path := range paths {
		if found[path], err = os.Stat(path); err != nil {
			t.Fatal(err)
		}
	}
	return found
}
