package comparison

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// Machine says where results come from.
type Machine struct {
	// Commit is the revision of the sources, with "+" if they were changed.
	Commit string `json:"commit"`
	Date   string `json:"date"`
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Kernel string `json:"kernel"`
	Go     string `json:"go"`
	Arch   string `json:"arch"`
}

// String describes the machine in a line.
func (m Machine) String() string {
	return fmt.Sprintf("commit %s, %s, %s, %d cores, %s, %s %s", m.Commit, m.Date, m.CPU, m.Cores, m.Kernel, m.Go, m.Arch)
}

func describe(ctx context.Context, root string) Machine {
	m := Machine{
		Date: time.Now().UTC().Format(time.DateOnly), CPU: "unknown CPU", Cores: runtime.NumCPU(), Kernel: runtime.GOOS, Go: runtime.Version(),
		Arch: runtime.GOARCH,
	}
	m.Commit = "unknown" // sources without their history
	if commit, err := git(ctx, root, "rev-parse", "--short", "HEAD"); err == nil {
		m.Commit = commit
	}
	if status, err := git(ctx, root, "status", "--porcelain", "--untracked-files=no"); err == nil && status != "" {
		m.Commit += "+"
	}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				m.CPU = strings.TrimSpace(value)
				break
			}
		}
	}
	if text, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.Kernel += " " + strings.TrimSpace(string(text))
	}
	return m
}

func git(ctx context.Context, root string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = root
	text, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w", args[0], err)
	}
	return strings.TrimSpace(string(text)), nil
}
