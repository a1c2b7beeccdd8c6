//go:build outside

package breaking_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/tools/openapi/breaking"
)

// git runs a git command in a folder and returns its line. No configuration of this machine counts.
func git(t *testing.T, folder string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", append([]string{"-c", "user.name=t", "-c", "user.email=t@shop.example"}, args...)...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
	text, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %q: %v\n%s", args, err, text)
	}
	return strings.TrimSpace(string(text))
}

// commit commits a file and returns the commit.
func commit(t *testing.T, folder, file, text string) string {
	t.Helper()
	if err := os.WriteFile(filepath.Join(folder, file), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	git(t, folder, "add", file)
	git(t, folder, "commit", "--quiet", "-m", text)
	return git(t, folder, "rev-parse", "HEAD")
}

// history is a repository: main has the commits first and second; the branch work began at first, and has two commits.
type history struct{ folder, first, second, work string }

func newHistory(t *testing.T) history {
	t.Helper()
	h := history{folder: t.TempDir()}
	git(t, h.folder, "init", "--quiet", "--initial-branch", "main")
	h.first = commit(t, h.folder, "README.md", "first")
	h.second = commit(t, h.folder, "openapi.yaml", "second")
	git(t, h.folder, "switch", "--quiet", "-c", "work", h.first)
	h.work = commit(t, h.folder, "a", "third")
	commit(t, h.folder, "a", "fourth")
	return h
}

func TestBase(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	for name, test := range map[string]struct {
		// commands are git commands in a clone of the history, whose branch is work.
		commands []string
		asked    string
		want     string
	}{
		"Asked":           {asked: "origin/main", want: h.second},
		"WhereItBegan":    {want: h.first},
		"LocalMain":       {commands: []string{"branch main origin/main", "remote remove origin"}, want: h.first},
		"WithoutMain":     {commands: []string{"remote remove origin"}, want: h.work},
		"OnMain":          {commands: []string{"switch --quiet main"}, want: h.first},
		"CommitOfMain":    {commands: []string{"switch --quiet --detach origin/main"}, want: h.first},
		"MainAfterAMerge": {commands: []string{"switch --quiet main", "merge --quiet --no-ff -m merge work", "push --quiet origin main"}, want: h.second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			git(t, folder, "clone", "--quiet", "--bare", h.folder, "origin")
			git(t, folder, "clone", "--quiet", "--branch", "work", "origin", "clone")
			clone := filepath.Join(folder, "clone")
			for _, command := range test.commands {
				git(t, clone, strings.Fields(command)...)
			}
			if got, err := breaking.Base(t.Context(), clone, test.asked); err != nil || got != test.want {
				t.Errorf("got %q, %v, want %q", got, err, test.want)
			}
		})
	}
}

func TestBaseOfShallowClone(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	for depth, want := range map[string]string{"1": "", "2": h.work} {
		folder := t.TempDir()
		git(t, folder, "clone", "--quiet", "--branch", "work", "--depth", depth, "file://"+h.folder, "clone")
		got, err := breaking.Base(t.Context(), filepath.Join(folder, "clone"), "")
		if got != want || (want == "") != errors.Is(err, breaking.ErrNoBase) {
			t.Errorf("depth %s: got %q, %v, want %q", depth, got, err, want)
		}
	}
}

func TestBaseIsRefused(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	for _, asked := range []string{"nothing", "--help", "HEAD:a"} {
		if got, err := breaking.Base(t.Context(), h.folder, asked); err == nil || !strings.Contains(err.Error(), "want a commit or a branch") {
			t.Errorf("%s: got %q, %v, want an error that says what is wanted", asked, got, err)
		}
	}
	if got, err := breaking.Base(t.Context(), t.TempDir(), ""); err == nil || errors.Is(err, breaking.ErrNoBase) {
		t.Errorf("outside of a repository: got %q, %v, want git's error", got, err)
	}
}

func TestDocument(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	if got, err := breaking.Document(t.Context(), h.folder, h.second, "openapi.yaml"); err != nil || string(got) != "second" {
		t.Errorf("got %q, %v, want second", got, err)
	}
	if got, err := breaking.Document(t.Context(), h.folder, h.first, "openapi.yaml"); err != nil || got != nil {
		t.Errorf("a commit without the file: got %q, %v, want nothing", got, err)
	}
	// A commit that git cannot read is not one without the file.
	if got, err := breaking.Document(t.Context(), h.folder, strings.Repeat("0a", 20), "openapi.yaml"); err == nil {
		t.Errorf("an unknown commit: got %q, want an error", got)
	}
}
