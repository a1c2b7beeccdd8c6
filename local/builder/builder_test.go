package builder_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/local/builder"
	"github.com/tienda-dev/tienda/tools/progress"
)

const program = "package main\n\nfunc main() { print(\"hello\") }\n"

// shop writes a module with functions of the given names and returns its root.
func shop(t *testing.T, names ...string) string {
	t.Helper()
	root := t.TempDir()
	write(t, filepath.Join(root, "go.mod"), "module example.com/shop\n\ngo 1.26\n")
	for _, name := range names {
		write(t, source(root, name), program)
	}
	return root
}

func source(root, name string) string { return filepath.Join(root, "functions", "a", name, "main.go") }

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, root string) *builder.Builder {
	t.Helper()
	b, err := builder.Open(root, progress.New(&bytes.Buffer{}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func says(t *testing.T, b *builder.Builder, function string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), b.Path(function)).CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// TestTwoRunsDoNotShareBinaries builds other code in a second run of the same folder.
func TestTwoRunsDoNotShareBinaries(t *testing.T) {
	t.Parallel()
	root := shop(t, "one", "two")
	first := open(t, root)
	if err := first.Build(t.Context(), []string{"one", "two"}); err != nil {
		t.Fatal(err)
	}
	write(t, source(root, "one"), strings.ReplaceAll(program, "hello", "servus"))
	second := open(t, root)
	if err := second.Build(t.Context(), []string{"one", "two"}); err != nil {
		t.Fatal(err)
	}
	if got := says(t, first, "one"); got != "hello" {
		t.Errorf("the first run's function says %q after the second's build", got)
	}
	if got := says(t, second, "one"); got != "servus" {
		t.Errorf("the second run's function says %q", got)
	}
	a, errA := os.Stat(first.Path("two"))
	b, errB := os.Stat(second.Path("two"))
	if errA != nil || errB != nil || !os.SameFile(a, b) {
		t.Errorf("the disk holds an equal binary twice (%v, %v)", errA, errB)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	if got := says(t, first, "two"); got != "hello" {
		t.Errorf("after the end of the second run it says %q", got)
	}
}

// TestNextRunCleansAfterAKill lets another process claim a folder and end without Close.
func TestNextRunCleansAfterAKill(t *testing.T) {
	t.Parallel()
	root := shop(t, "one")
	if os.Getenv("BUILDER_TEST_ROOT") != "" {
		if _, err := builder.Open(os.Getenv("BUILDER_TEST_ROOT"), progress.New(&bytes.Buffer{})); err != nil {
			t.Fatal(err)
		}
		os.Exit(0) // like a killed process
	}
	alive := open(t, root)
	killed := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+t.Name()+"$")
	killed.Env = append(os.Environ(), "BUILDER_TEST_ROOT="+root)
	if out, err := killed.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := folders(t, root); got != 2 {
		t.Fatalf("%d folders, want those of the living and of the killed run", got)
	}
	next := open(t, root)
	if got := folders(t, root); got != 2 {
		t.Errorf("%d folders, want those of the two living runs", got)
	}
	if err := alive.Build(t.Context(), []string{"one"}); err != nil {
		t.Fatal(err)
	}
	for _, b := range []*builder.Builder{next, alive} {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
	left, err := filepath.Glob(filepath.Join(root, ".cache", "runs", "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("%v, %v stay after the last run", left, err)
	}
}

func folders(t *testing.T, root string) int {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(root, ".cache", "runs", "run-*.lock"))
	if err != nil {
		t.Fatal(err)
	}
	return len(found)
}

// TestAwaitedFunctionIsBuiltBeforeTheOthers asks for the last of many.
func TestAwaitedFunctionIsBuiltBeforeTheOthers(t *testing.T) {
	t.Parallel()
	names := []string{"f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9", "g0", "g1"}
	b := open(t, shop(t, names...))
	var batches [][]string
	b.Rest(t.Context(), names, func(batch []string) {
		if len(batches) == 0 { // between the first build and the second
			ended := make(chan struct{})
			close(ended)
			if err := b.Await(t.Context(), ended, "g1"); err == nil {
				t.Error("g1 was built before its turn")
			}
		}
		batches = append(batches, batch)
	}, func(err error) { t.Error(err) })
	want := [][]string{{"f0", "f1", "f2", "f3"}, {"g1", "f4", "f5", "f6"}, {"f7", "f8", "f9", "g0"}}
	if diff := cmp.Diff(want, batches); diff != "" {
		t.Error(diff)
	}
}

func TestAwaitReportsWhatDoesNotCompile(t *testing.T) {
	t.Parallel()
	root := shop(t, "one")
	b := open(t, root)
	write(t, source(root, "one"), "package main\n\nfunc main() { undefined() }\n")
	b.Rest(t.Context(), []string{"one"}, func([]string) { t.Error("built") }, func(error) {})
	if err := b.Await(t.Context(), nil, "one"); err == nil || !strings.Contains(err.Error(), "main.go:3:15: undefined: undefined") {
		t.Errorf("err = %v, want the compiler's line", err)
	}
	stop := make(chan struct{})
	close(stop)
	if err := b.Await(t.Context(), stop, "two"); err == nil {
		t.Error("Await of a closed run reports no error")
	}
}

func TestRebuildReturnsWhatDiffers(t *testing.T) {
	t.Parallel()
	root := shop(t, "one", "two", "three")
	b := open(t, root)
	if err := b.Build(t.Context(), []string{"one", "two"}); err != nil {
		t.Fatal(err)
	}
	write(t, source(root, "one"), strings.ReplaceAll(program, "hello", "servus"))
	old := b.Path("one")
	change, err := b.Rebuild(t.Context(), []string{"one", "two", "three"})
	if diff := cmp.Diff([]string{"one"}, change.Functions); diff != "" || err != nil {
		t.Fatalf("changed (-want +got):\n%s\nerr = %v", diff, err)
	}
	if got := says(t, b, "one"); got != "hello" {
		t.Errorf("before Apply it says %q", got)
	}
	removeOld := change.Apply()
	if got := says(t, b, "one"); got != "servus" {
		t.Errorf("after Apply it says %q", got)
	}
	removeOld()
	if _, err := os.Stat(old); !os.IsNotExist(err) {
		t.Errorf("the old binary stays: %v", err)
	}
}
