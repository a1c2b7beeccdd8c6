// Command conditions takes the conditions of the stores' writes out, and the operands of those that are conjunctions, one at a
// time, and runs the tests of the packages
// that use the store: each time a test must fail. A condition that nothing tests is named, and the command fails.
//
//	go run ./local dynamodb -- go run ./tools/conditions              all of them
//	go run ./local dynamodb -- go run ./tools/conditions -only stock  those whose file or text contains "stock"
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
)

// exceptions lists the conditions that no test can miss, each with its reason.
const exceptions = "tools/conditions/exceptions.txt"

func main() {
	only := flag.String("only", "", "take out only the conditions whose file or text contains this")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *only)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "conditions:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, only string) error {
	all, err := find(".", "functions", "shared")
	if err != nil {
		return err
	}
	excepted, err := readExceptions(exceptions)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(c condition) bool { return !strings.Contains(c.place(), only) })
	if len(all) == 0 {
		return fmt.Errorf("no condition contains %q", only)
	}
	users, err := usersOf(ctx)
	if err != nil {
		return err
	}
	sound := map[string]bool{}
	survivors := 0
	for i, c := range all {
		if _, ok := excepted[c.place()]; ok {
			delete(excepted, c.place())
			continue
		}
		killer, err := take(ctx, c, users[c.folder()], sound)
		if err != nil {
			return err
		}
		result := "fails " + killer
		if killer == "" {
			result = "SURVIVES"
			survivors++
		}
		if _, err := fmt.Printf("%3d/%d %s:%d %s\n        %s\n", i+1, len(all), c.file, c.line, c.text, result); err != nil {
			return err
		}
	}
	if only == "" {
		for place := range excepted {
			return fmt.Errorf("%s names a condition that does not exist: %s", exceptions, place)
		}
	}
	if survivors > 0 {
		return fmt.Errorf("%d of %d conditions can be taken out without a test that fails", survivors, len(all))
	}
	return nil
}

// take runs the tests of the packages without the condition, until one of them fails. It returns the package that
// failed, and "" if all passed. Every package must pass with the condition: it is tried once, and then is in sound.
func take(ctx context.Context, c condition, packages []string, sound map[string]bool) (string, error) {
	source, err := os.ReadFile(c.file)
	if err != nil {
		return "", err
	}
	work, err := os.MkdirTemp("", "conditions-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	changed, overlay := filepath.Join(work, filepath.Base(c.file)), filepath.Join(work, "overlay.json")
	abs, err := filepath.Abs(c.file)
	if err != nil {
		return "", err
	}
	replaced, err := json.Marshal(map[string]map[string]string{"Replace": {abs: changed}})
	if err != nil {
		return "", err
	}
	if err := errors.Join(os.WriteFile(changed, c.without(source), 0o600), os.WriteFile(overlay, replaced, 0o600)); err != nil {
		return "", err
	}
	for _, pkg := range packages {
		if !sound[pkg] {
			if out, err := goCommand(ctx, "test", "-tags", "integration", "-count=1", pkg); err != nil {
				return "", fmt.Errorf("%s fails with every condition in place:\n%s", pkg, out)
			}
			sound[pkg] = true
		}
		if out, err := goCommand(ctx, "vet", "-overlay", overlay, "-tags", "integration", c.folder()); err != nil {
			return "", fmt.Errorf("%s:%d does not compile without the condition:\n%s", c.file, c.line, out)
		}
		out, err := goCommand(ctx, "test", "-overlay", overlay, "-tags", "integration", "-count=1", "-failfast", "-vet=off", "-timeout", "3m", pkg)
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		if err == nil {
			continue
		}
		// A second failure shows that the first was not chance.
		if _, err = goCommand(ctx, "test", "-overlay", overlay, "-tags", "integration", "-count=1", "-failfast", "-vet=off", "-timeout", "3m", pkg); err != nil {
			return pkg + firstFailure(out), nil
		}
	}
	return "", nil
}

// firstFailure returns the name of the first test that failed, after a space.
func firstFailure(out string) string {
	for line := range strings.Lines(out) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "--- FAIL: "); ok {
			return " " + strings.Fields(name)[0]
		}
	}
	return ""
}

// usersOf returns for each package folder those whose tests can reach it with an engine: its own first.
func usersOf(ctx context.Context) (map[string][]string, error) {
	out, err := goCommand(ctx, "list", "-tags", "integration", "-test", "-f",
		`{{if .ForTest}}{{.ForTest}}{{range .Deps}} {{.}}{{end}}{{end}}`, "./functions/...", "./shared/...", "./internal/...")
	if err != nil {
		return nil, errors.New(out)
	}
	module, err := goCommand(ctx, "list", "-m")
	if err != nil {
		return nil, errors.New(module)
	}
	folder := func(importPath string) (string, bool) {
		rest, ok := strings.CutPrefix(importPath, strings.TrimSpace(module)+"/")
		return "./" + rest, ok
	}
	users := map[string][]string{}
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		tested, _ := folder(fields[0])
		if engine, err := needsEngine(tested); err != nil || !engine {
			continue
		}
		for _, dep := range append(fields[1:], fields[0]) {
			used, ours := folder(dep)
			if ours && !slices.Contains(users[used], tested) {
				users[used] = append(users[used], tested)
			}
		}
	}
	for used, packages := range users {
		if i := slices.Index(packages, used); i > 0 {
			packages[0], packages[i] = packages[i], packages[0]
		}
	}
	return users, nil
}

// needsEngine reports whether the folder has tests on DynamoDB.
func needsEngine(folder string) (bool, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		return false, err
	}
	for _, name := range files {
		source, err := os.ReadFile(name)
		if err != nil {
			return false, err
		}
		if strings.HasPrefix(string(source), "//go:build integration") {
			return true, nil
		}
	}
	return false, nil
}

// readExceptions reads "file: expression -- reason" from each line that is not a comment.
func readExceptions(name string) (map[string]string, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	reasons := map[string]string{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		line := lines.Text()
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		place, reason, ok := strings.Cut(line, " -- ")
		if !ok || len(strings.Fields(reason)) < 5 {
			return nil, fmt.Errorf("%s: want a file, its condition, -- and a reason in words: %s", name, line)
		}
		reasons[place] = reason
	}
	return reasons, nil
}

// goCommand runs go and returns all that it printed.
func goCommand(ctx context.Context, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "go", args...).CombinedOutput()
	return string(out), err
}
