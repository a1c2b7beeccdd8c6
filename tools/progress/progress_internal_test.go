package progress

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPlainLinesSayHowFar(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := New(&out)
	for i := range 32 {
		p.Count("building functions", i+1, 32, "login")
	}
	p.Done()
	p.Count("building functions", 1, 1, "login")
	want := []string{"1 of 32", "7 of 32", "13 of 32", "19 of 32", "25 of 32", "31 of 32", "32 of 32", "1 of 1"}
	var got []string
	for line := range strings.Lines(out.String()) {
		got = append(got, strings.TrimSpace(strings.TrimPrefix(line, "building functions: ")))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTerminalHasOneLineBelowTheOutput(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := &Printer{out: &out, terminal: true}
	p.Count("compiling", 1, 9, "net/http")
	if _, err := p.Write([]byte("GET /v1/products\n")); err != nil {
		t.Fatal(err)
	}
	p.Done()
	want := clearLine + "compiling: 1 of 9 net/http" + clearLine + "GET /v1/products\ncompiling: 1 of 9 net/http" + clearLine
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestLineNeverWraps(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := &Printer{out: &out, terminal: true}
	p.Count("compiling", 1, 9, strings.Repeat("x", 200))
	if got := strings.TrimPrefix(out.String(), clearLine); len(got) >= 80 {
		t.Errorf("the line has %d characters", len(got))
	}
}

func TestCompilerCountsModulesAndPackages(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	show := New(&out).Compiler(func() (int, int) { return 2, 3 })
	for _, line := range []string{
		"go: downloading github.com/aws/smithy-go v1.2.3", "go: downloading golang.org/x/text v0.9.0",
		"internal/cpu", "# example.com/shop", "main.go:3:1: undefined: x", "", "net/http", "example.com/shop",
	} {
		show(line)
	}
	want := "downloading modules: 1 of 2\ndownloading modules: 2 of 2\n" +
		"compiling packages: 1 of 3\ncompiling packages: 2 of 3\ncompiling packages: 3 of 3\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestAFileIsNoTerminal(t *testing.T) {
	t.Parallel()
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if New(file).Terminal() || New(&bytes.Buffer{}).Terminal() {
		t.Error("taken for a terminal")
	}
}
