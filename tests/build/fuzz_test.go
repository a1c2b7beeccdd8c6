package build_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestFuzzSmokeFailsWithItsTarget plants a result of `go test` for the first of two targets and checks the
// exit code of the script: the second target, which passes, must not hide a failure of the first.
func TestFuzzSmokeFailsWithItsTarget(t *testing.T) {
	t.Parallel()
	const raced = `echo 'context deadline exceeded'; exit 1`
	for name, test := range map[string]struct {
		first, second string // what `go test` does, in shell
		want          bool   // whether the run passes
		runs          int
	}{
		"Passes":            {first: `exit 0`, want: true, runs: 1},
		"FailingInput":      {first: `echo 'Failing input written to testdata/fuzz/FuzzX/1'; exit 1`, runs: 1},
		"FailingInputRaced": {first: `echo 'Failing input written to testdata/fuzz/FuzzX/1'; ` + raced, runs: 1},
		"DoesNotCompile":    {first: `echo 'x_test.go:3:1: undefined: y'; exit 2`, runs: 1},
		"SaysNothing":       {first: `exit 1`, runs: 1},
		"RacedAndPasses":    {first: raced, second: `exit 0`, want: true, runs: 2},
		"RacedAndFails":     {first: raced, second: `echo 'panic: no'; exit 1`, runs: 2},
		"RacedTwice":        {first: raced, second: raced, runs: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := module(t, "func FuzzX(f *testing.F) {}\n\nfunc FuzzZ(f *testing.F) {}\n")
			runs := filepath.Join(folder, "runs")
			// A fake go: FuzzZ passes; for FuzzX it counts its runs and does what the case sets.
			fakeGo := "#!/bin/sh\ncase $* in *FuzzZ*) exit 0 ;; esac\necho >>" + runs + "\ncase $(wc -l <" + runs + ") in\n1) " + test.first + " ;;\n*) " + test.second + " ;;\nesac\n"
			lay(t, folder, "bin/go", fakeGo)
			output, err := fuzzSmoke(t, folder, filepath.Join(folder, "bin"))
			if passed := err == nil; passed != test.want {
				t.Errorf("it passes: %v, want %v (%v)\n%s", passed, test.want, err, output)
			}
			if says := strings.Contains(output, "once more: it found nothing"); says != (test.runs == 2) {
				t.Errorf("it says why it runs the target again: %v\n%s", says, output)
			}
			if counted, _ := os.ReadFile(runs); len(counted) != test.runs {
				t.Errorf("the target was fed %d times, want %d\n%s", len(counted), test.runs, output)
			}
		})
	}
}

func TestFuzzSmokeRunsTheTargets(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ body, want string }{
		"Sound":  {body: `f.Fuzz(func(*testing.T, []byte) {})`},
		"Faulty": {body: `f.Add([]byte("a")); f.Fuzz(func(t *testing.T, b []byte) { t.Fatal("planted") })`, want: "planted"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			output, err := fuzzSmoke(t, module(t, "func FuzzX(f *testing.F) { "+test.body+" }\n\nfunc FuzzZ(f *testing.F) { f.Fuzz(func(*testing.T, []byte) {}) }\n"), "")
			if (err != nil) != (test.want != "") || !strings.Contains(output, test.want) {
				t.Errorf("got %v, want a failure with %q\n%s", err, test.want, output)
			}
		})
	}

	t.Run("NoTargetIsAFailure", func(t *testing.T) {
		t.Parallel()
		output, err := fuzzSmoke(t, module(t, ""), "")
		if err == nil || !strings.Contains(output, "no fuzz target found") {
			t.Errorf("got %v\n%s", err, output)
		}
	})
}

// module returns a module with the script and one test file.
func module(t *testing.T, code string) string {
	t.Helper()
	script, err := os.ReadFile(filepath.Join(root, "tools", "fuzz-smoke"))
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	lay(t, folder, "tools/fuzz-smoke", string(script))
	lay(t, folder, "go.mod", "module example.com/planted\n\ngo 1.26\n")
	lay(t, folder, "shared/x/x_test.go", "package x_test\n\nimport \"testing\"\n\nvar _ = testing.Main\n\n"+code)
	return folder
}

func lay(t *testing.T, folder, name, content string) {
	t.Helper()
	path := filepath.Join(folder, filepath.FromSlash(name))
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o755)); err != nil {
		t.Fatal(err)
	}
}

// fuzzSmoke runs the folder's script for a second per target; bin comes first in its PATH.
func fuzzSmoke(t *testing.T, folder, bin string) (string, error) {
	t.Helper()
	run := exec.CommandContext(t.Context(), filepath.Join(folder, "tools", "fuzz-smoke"), "1s")
	run.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false", "GOWORK=off")
	if bin != "" {
		run.Env = append(run.Env, "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	}
	output, err := run.CombinedOutput()
	return string(output), err
}
