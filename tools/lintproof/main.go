// Command lintproof checks that the rules of .golangci.yml find violations. It copies the repository's code
// into a temporary folder, adds the files of testdata/plants and runs golangci-lint there. Each line of
// these files that must be reported ends in a comment with the linters:
//
//	import "text/template" // want depguard
//
// A violation that is not reported fails the run, and so does a report without such a comment: a rule that
// is too wide is also wrong.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// plants is the folder of the planted files. Their names end in ".txt", so that Go tools ignore them there.
const plants = "tools/lintproof/testdata/plants"

// rules are the linters to check.
const rules = "depguard,forbidigo,gochecknoglobals,gochecknoinits,importas" //nolint:misspell // the linter's name

func main() {
	linter := flag.String("golangci-lint", "golangci-lint", "the golangci-lint binary")
	root := flag.String("root", ".", "the repository's folder")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	n, err := prove(ctx, *root, *linter)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "lintproof:", err)
		os.Exit(1)
	}
	fmt.Printf("lintproof: all %d planted violations were reported, and nothing else\n", n)
}

func prove(ctx context.Context, root, linter string) (int, error) {
	work, err := os.MkdirTemp("", "lintproof-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(work)

	if err := copyCode(root, work); err != nil {
		return 0, err
	}
	planted, err := plant(filepath.Join(root, filepath.FromSlash(plants)), work)
	if err != nil {
		return 0, err
	}
	reported, err := lint(ctx, work, linter, planted)
	if err != nil {
		return 0, err
	}

	var wanted []string
	for _, p := range planted {
		wanted = append(wanted, p.wants...)
	}
	return len(wanted), compare(wanted, reported)
}

// copyCode copies the repository without hidden folders and dist/.
func copyCode(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if rel != "." && (strings.HasPrefix(d.Name(), ".") || rel == "dist") {
				return filepath.SkipDir
			}
			return nil
		}
		return copyFile(path, filepath.Join(to, rel))
	})
}

func copyFile(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o644)
}

// planting is one planted file and its expected reports.
type planting struct {
	// path is relative to the repository, with forward slashes.
	path string
	// wants are the expected reports, "path:line linter".
	wants []string
}

var want = regexp.MustCompile(`// want ([a-z, ]+)$`)

func plant(from, to string) ([]planting, error) {
	var planted []planting
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		rel = strings.TrimSuffix(rel, ".txt")
		if _, err := os.Stat(filepath.Join(to, rel)); err == nil {
			return fmt.Errorf("%s exists in the repository: give the plant another name", rel)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		p := planting{path: filepath.ToSlash(rel)}
		for i, line := range strings.Split(string(content), "\n") {
			m := want.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			for linter := range strings.SplitSeq(m[1], ",") {
				p.wants = append(p.wants, fmt.Sprintf("%s:%d %s", p.path, i+1, strings.TrimSpace(linter)))
			}
		}
		planted = append(planted, p)
		return copyFile(path, filepath.Join(to, rel))
	})
	if err == nil && len(planted) == 0 {
		err = fmt.Errorf("no plants below %s", from)
	}
	return planted, err
}

// lint runs golangci-lint over the planted files' packages and returns what it reports in the
// planted files.
func lint(ctx context.Context, work, linter string, planted []planting) ([]string, error) {
	args := []string{
		"run", "--allow-parallel-runners", "--enable-only", rules, "--output.json.path", "stdout", "--show-stats=false", "--uniq-by-line=false",
		"--max-issues-per-linter=0", "--max-same-issues=0",
	}
	files := make(map[string]bool, len(planted))
	for _, p := range planted {
		files[p.path] = true
		if folder := "./" + filepath.ToSlash(filepath.Dir(p.path)); !slices.Contains(args, folder) {
			args = append(args, folder)
		}
	}
	run := exec.CommandContext(ctx, linter, args...)
	run.Dir = work
	var stderr strings.Builder
	run.Stderr = &stderr
	stdout, err := run.Output()
	var exit *exec.ExitError
	// Exit status 1 means that there are reports.
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) {
		return nil, fmt.Errorf("%s: %w\n%s", linter, err, stderr.String())
	}

	var report struct {
		Issues []struct {
			FromLinter string
			Text       string
			Pos        struct {
				Filename string
				Line     int
			}
		}
	}
	if err := json.Unmarshal(stdout, &report); err != nil {
		return nil, fmt.Errorf("read the report of %s: %w\n%s", linter, err, stderr.String())
	}
	var reported []string
	for _, issue := range report.Issues {
		if issue.FromLinter == "typecheck" {
			return nil, fmt.Errorf("the code does not compile: %s", issue.Text)
		}
		if path := filepath.ToSlash(issue.Pos.Filename); files[path] {
			reported = append(reported, fmt.Sprintf("%s:%d %s", path, issue.Pos.Line, issue.FromLinter))
		}
	}
	return reported, nil
}

// compare returns an error for every missing and every unexpected report.
func compare(wanted, reported []string) error {
	var faults []error
	for _, w := range wanted {
		if !slices.Contains(reported, w) {
			faults = append(faults, fmt.Errorf("%s did not report it", w))
		}
	}
	for _, r := range reported {
		if !slices.Contains(wanted, r) {
			faults = append(faults, fmt.Errorf("%s reported what is allowed", r))
		}
	}
	return errors.Join(faults...)
}
