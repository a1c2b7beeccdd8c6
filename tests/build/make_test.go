package build_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestDeployRefusesUnknownStage(t *testing.T) {
	t.Parallel()
	dependOnMakefile(t)
	for _, stage := range []string{"", "production", "local", "dev staging"} {
		t.Run("STAGE="+stage, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr strings.Builder
			deploy := exec.CommandContext(t.Context(), "make", "--no-print-directory", "deploy", "STAGE="+stage)
			deploy.Dir, deploy.Stdout, deploy.Stderr = root, &stdout, &stderr
			if err := deploy.Run(); err == nil {
				t.Error("it was accepted")
			}
			said, _, _ := strings.Cut(stderr.String(), "\n")
			want := "STAGE is '" + stage + "': want one of dev staging prod, as in make deploy STAGE=dev."
			if said != want {
				t.Errorf("got %q, want %q", said, want)
			}
			if stdout.Len() > 0 {
				t.Errorf("it did something first: %q", stdout.String())
			}
		})
	}
}

// make passes typed values on unchanged: an address may hold a $, and pasted text may hold more.
func TestMakePassesTypedValuesUnchanged(t *testing.T) {
	t.Parallel()
	makefile := dependOnMakefile(t)
	const typed = "boss$x@shop.example $(shell echo found) `echo found` $$HOME 'a' \"b\" \\"
	_, rest, _ := strings.Cut(makefile, "\nTYPED := ")
	line, _, _ := strings.Cut(rest, "\n")
	names := strings.Fields(line)
	for name := range strings.FieldsSeq("PORT DATA ROLE EMAIL KID FORCE STAGE FN EVENT ARCH") {
		if !slices.Contains(names, name) {
			t.Errorf("TYPED does not name %s", name)
		}
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			show := exec.CommandContext(t.Context(), "make", "--no-print-directory", "-f", "-", "show", name+"="+typed)
			show.Dir, show.Stdin = root, strings.NewReader("include Makefile\nshow:\n\t@printenv "+name+"\n")
			got, err := show.Output()
			if err != nil || string(got) != typed+"\n" {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestMakeHelpRunsNothingThatIsTyped(t *testing.T) {
	t.Parallel()
	dependOnMakefile(t)
	const typed = "'; echo found; echo '$(shell echo found)"
	help := exec.CommandContext(t.Context(), "make", "--no-print-directory", "help", "PORT="+typed)
	help.Dir = root
	got, err := help.Output()
	if err != nil || !strings.Contains(string(got), " PORT="+typed+" ") {
		t.Errorf("got %s, %v", got, err)
	}
}

// dependOnMakefile reads it, so that `go test` knows that the result depends on it.
func dependOnMakefile(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
