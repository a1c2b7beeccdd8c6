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
	// Opened so that `go test` knows that the result depends on it.
	if _, err := os.ReadFile(filepath.Join(root, "Makefile")); err != nil {
		t.Fatal(err)
	}
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
