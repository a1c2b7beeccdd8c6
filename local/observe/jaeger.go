package observe

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

const (
	jaegerModule  = "github.com/jaegertracing/jaeger"
	jaegerVersion = "v1.76.0"
)

// Jaeger returns the path of Jaeger, built from its module: about four minutes of CPU time, once. The module has
// Jaeger's whole API but not its user interface.
func (t Tools) Jaeger(ctx context.Context) (string, error) {
	home, err := t.install(ctx, "jaeger-"+jaegerVersion, func(ctx context.Context, folder string) error {
		t.note("building Jaeger: some minutes, once")
		// `go install` refuses the module, because its go.mod replaces another one. A build in its own sources works.
		found, err := run(ctx, folder, host(), "go", "mod", "download", "-json", jaegerModule+"@"+jaegerVersion)
		if err != nil {
			return err
		}
		var module struct{ Dir string }
		if err := json.Unmarshal(found, &module); err != nil {
			return fmt.Errorf("go mod download: %w", err)
		}
		sources := filepath.Join(folder, "sources")
		if err := os.CopyFS(sources, os.DirFS(module.Dir)); err != nil {
			return err
		}
		_, err = run(ctx, sources, host(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(folder, "jaeger"), "./cmd/jaeger")
		if err != nil {
			return err
		}
		return os.RemoveAll(sources)
	})
	return filepath.Join(home, "jaeger"), err
}
