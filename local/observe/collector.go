package observe

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v4"
)

const (
	// builder is OpenTelemetry's program that writes and builds a collector of chosen components.
	builder = "go.opentelemetry.io/collector/cmd/builder"
	// manifest lists them.
	manifest = "observability/builder.yaml"
)

// Collector returns the path of the collector, built from observability/builder.yaml. The first build takes about four
// minutes of CPU time; a changed manifest builds again, most of it from Go's cache. It needs Go and its module proxy.
func (t Tools) Collector(ctx context.Context) (string, error) {
	content, err := os.ReadFile(filepath.Join(t.Root, filepath.FromSlash(manifest)))
	if err != nil {
		return "", fmt.Errorf("read the collector's manifest: %w", err)
	}
	var wanted map[string]any
	if err := yaml.Unmarshal(content, &wanted); err != nil {
		return "", fmt.Errorf("%s: %w", manifest, err)
	}
	dist, _ := wanted["dist"].(map[string]any)
	version, _ := dist["version"].(string)
	if version == "" {
		return "", fmt.Errorf("%s: dist.version is required", manifest)
	}
	digest := sha256.Sum256(content)
	home, err := t.install(ctx, "collector-"+version+"-"+hex.EncodeToString(digest[:6]), func(ctx context.Context, folder string) error {
		t.note("building the collector: some minutes, once")
		sources := filepath.Join(folder, "sources")
		dist["name"], dist["output_path"] = "collector", sources
		there, err := yaml.Marshal(wanted)
		if err != nil {
			return err
		}
		file := filepath.Join(folder, "builder.yaml")
		if err := os.WriteFile(file, there, 0o644); err != nil {
			return err
		}
		if _, err := run(ctx, folder, host(), "go", "run", builder+"@v"+version, "--config", file); err != nil {
			return err
		}
		if err := os.Rename(filepath.Join(sources, "collector"), filepath.Join(folder, "collector")); err != nil {
			return err
		}
		return os.RemoveAll(sources)
	})
	return filepath.Join(home, "collector"), err
}
