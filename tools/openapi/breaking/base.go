package breaking

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// ErrNoBase means that the clone has nothing to compare with: no commit before HEAD.
var ErrNoBase = errors.New("no commit to compare with")

// Base returns the commit to compare with, in the clone that has the folder. Asked is a commit or a branch. If it is
// empty, the base is the commit where HEAD's branch began: the merge base with origin/main, or with main. On main, and
// where neither is in the clone, it is HEAD's first parent, which is main before a merge. It returns ErrNoBase if HEAD has
// no parent, as in a clone of depth 1.
func Base(ctx context.Context, folder, asked string) (string, error) {
	if asked != "" {
		commit, err := resolve(ctx, folder, asked)
		if err == nil && commit == "" {
			err = fmt.Errorf("BASE is %q: want a commit or a branch, as in make openapi-diff BASE=main", asked)
		}
		return commit, err
	}
	head, err := resolve(ctx, folder, "HEAD")
	if err != nil {
		return "", err
	}
	for _, trunk := range []string{"refs/remotes/origin/main", "refs/heads/main"} {
		tip, err := resolve(ctx, folder, trunk)
		if err != nil {
			return "", err
		}
		if tip == "" {
			continue
		}
		began, err := ask(ctx, folder, "merge-base", head, tip) // a shallow clone may not have it
		if err != nil {
			return "", err
		}
		if began != "" && began != head {
			return began, nil
		}
	}
	parent, err := resolve(ctx, folder, "HEAD^1")
	if err == nil && parent == "" {
		err = ErrNoBase
	}
	return parent, err
}

// Document returns the bytes of a file of a commit, by its path from the clone's top; nil if the commit does not
// have it.
func Document(ctx context.Context, folder, commit, path string) ([]byte, error) {
	name, err := git(ctx, folder, "ls-tree", "--full-tree", "--name-only", commit, "--", path)
	if err != nil || len(name) == 0 {
		return nil, err
	}
	return git(ctx, folder, "cat-file", "blob", commit+":"+path)
}

// resolve returns the id of a commit, or nothing if the clone does not have it.
func resolve(ctx context.Context, folder, name string) (string, error) {
	return ask(ctx, folder, "rev-parse", "--quiet", "--verify", "--end-of-options", name+"^{commit}")
}

// ask runs a git command that exits with 1 to say no, and returns its line, which is empty for no.
func ask(ctx context.Context, folder string, args ...string) (string, error) {
	text, err := git(ctx, folder, args...)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		return "", nil
	}
	return strings.TrimSpace(string(text)), err
}

func git(ctx context.Context, folder string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	var said bytes.Buffer
	cmd.Dir, cmd.Stderr = folder, &said
	text, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("git %s: %w: %s", args[0], err, bytes.TrimSpace(said.Bytes()))
	}
	return text, nil
}
