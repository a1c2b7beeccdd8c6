package build_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestDeployRefusesAStageThatIsNone(t *testing.T) {
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

// What a person types is data: an address may hold a $, and a pasted one more than that.
func TestMakePassesOnWhatIsTyped(t *testing.T) {
	t.Parallel()
	dependOnMakefile(t)
	const typed = "boss$x@shop.example $(shell echo found) `echo found` $$HOME 'a' \"b\" \\"
	for _, name := range []string{"EMAIL", "ROLE", "STEP", "SECRET", "ALG", "KID", "FN", "EVENT", "ARCH", "DATA", "BUCKET", "FUZZTIME"} {
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

// dependOnMakefile opens it, so that `go test` knows that the result depends on it.
func dependOnMakefile(t *testing.T) {
	t.Helper()
	if _, err := os.ReadFile(filepath.Join(root, "Makefile")); err != nil {
		t.Fatal(err)
	}
}
