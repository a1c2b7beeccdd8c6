// Package breaking finds what breaks clients between two versions of openapi.yaml: what oasdiff finds, by the severities
// of docs/api.md, and roles, which oasdiff does not know.
package breaking

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

const (
	// Severities is the name of the file that says which of oasdiff's findings break clients.
	Severities = "severities.txt"
	// Accepted is the name of the file of the breaking changes that are intended.
	Accepted = "accepted.txt"
)

// oasdiffFound is oasdiff's exit code if it finds a breaking change.
const oasdiffFound = 1

// Tool compares two documents.
type Tool struct {
	// Oasdiff is the path of oasdiff.
	Oasdiff string
	// Rules is the folder of the files Severities and Accepted.
	Rules string
}

// Compare writes what in the file revision breaks clients of the file base, apart from what is accepted, and returns
// whether that is anything.
func (t Tool) Compare(ctx context.Context, out io.Writer, base, revision string) (bool, error) {
	text, err := os.ReadFile(filepath.Join(t.Rules, Accepted))
	if err != nil {
		return false, err
	}
	accepted, err := ParseAccepted(string(text))
	if err != nil {
		return false, fmt.Errorf("%s: %w", Accepted, err)
	}
	roles, err := t.roles(out, base, revision, accepted)
	if err != nil {
		return false, err
	}
	var said bytes.Buffer
	others, err := t.oasdiff(ctx, &said, base, revision, accepted)
	if err != nil {
		return false, fmt.Errorf("run oasdiff: %w: %s", err, bytes.TrimSpace(said.Bytes()))
	}
	if roles && !others { // oasdiff says that nothing breaks
		return true, nil
	}
	_, err = said.WriteTo(out)
	return others, err
}

// roles writes the requests that callers may no longer make because of their roles.
func (t Tool) roles(out io.Writer, base, revision string, accepted []string) (bool, error) {
	before, err := os.ReadFile(base)
	if err != nil {
		return false, err
	}
	after, err := os.ReadFile(revision)
	if err != nil {
		return false, err
	}
	narrowed, err := NarrowedRoles(before, after)
	if err != nil {
		return false, err
	}
	found := false
	for _, change := range narrowed {
		if slices.Contains(accepted, change.String()) {
			continue
		}
		found = true
		if _, err := fmt.Fprintf(out, "error\t[roles-narrowed] at %s\n\tin API %s %s\n\t\t%s\n", revision, change.Method, change.Path, change.Text); err != nil {
			return false, err
		}
	}
	return found, nil
}

func (t Tool) oasdiff(ctx context.Context, out io.Writer, base, revision string, accepted []string) (bool, error) {
	folder, err := os.MkdirTemp("", "openapi-diff-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(folder)
	// Comments are left out: oasdiff would take an entry in them for an entry.
	ignored := filepath.Join(folder, Accepted)
	if err := os.WriteFile(ignored, []byte(strings.Join(accepted, "\n")+"\n"), 0o600); err != nil {
		return false, err
	}
	cmd := exec.CommandContext(ctx, t.Oasdiff, "breaking", "--fail-on", "WARN", "--flatten-allof", "--color", "never",
		"--severity-levels", filepath.Join(t.Rules, Severities), "--err-ignore", ignored, "--warn-ignore", ignored, base, revision)
	cmd.Stdout, cmd.Stderr = out, out
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return false, nil
	case errors.As(err, &exit) && exit.ExitCode() == oasdiffFound:
		return true, nil
	default:
		return false, err
	}
}

// ParseAccepted returns the changes that a file accepts. Each line has the method, the path and the text of one
// change, then " # " and the reason. Empty lines and lines that start with # say nothing.
func ParseAccepted(text string) ([]string, error) {
	var changes []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		change, reason, found := strings.Cut(line, " # ")
		if !found || strings.TrimSpace(reason) == "" {
			return nil, fmt.Errorf("%q has no reason: want METHOD /path text # reason", line)
		}
		changes = append(changes, strings.TrimSpace(change))
	}
	return changes, nil
}
