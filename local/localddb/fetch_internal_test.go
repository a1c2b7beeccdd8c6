package localddb

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDownloadSaysHowFar has an npm that writes 20 MB and waits until they were noted.
func TestDownloadSaysHowFar(t *testing.T) {
	work, cache := t.TempDir(), t.TempDir()
	t.Setenv("npm_config_cache", cache)
	npm := filepath.Join(t.TempDir(), "npm")
	script := `#!/bin/sh
mkdir -p "$npm_config_cache/_cacache/tmp"
head -c 21000000 /dev/zero >"$npm_config_cache/_cacache/tmp/part"
until [ -e noted ]; do sleep 0.01; done
`
	if err := os.WriteFile(npm, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	var notes []string
	err := download(t.Context(), npm, work, func(sentence string) {
		notes = append(notes, sentence)
		if strings.Contains(sentence, ": 20 of ") {
			if err := os.WriteFile(filepath.Join(work, "noted"), nil, 0o600); err != nil {
				t.Error(err)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("fetching DynamoDB Local: 20 of 50 MB", notes[len(notes)-1]); diff != "" {
		t.Error(diff)
	}
}
