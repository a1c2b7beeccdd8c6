package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"go.uber.org/zap"

	"github.com/tienda-dev/tienda/shared/logging"
)

func TestLogged(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		f       func(ctx context.Context, in string) (string, error)
		wantErr string
		level   string
		inLine  []string
	}{
		"OK": {
			f: func(ctx context.Context, in string) (string, error) {
				logging.EntryFrom(ctx).Add(zap.String("auth", "ok"))
				return in, nil
			},
			level: "INFO", inLine: []string{`"auth":"ok"`, `"cold_start":true`, `"duration_ms"`},
		},
		"Error": {
			f:       func(context.Context, string) (string, error) { return "", errors.New("no answer") },
			wantErr: "no answer", level: "ERROR", inLine: []string{"no answer"},
		},
		"Panic": {
			f:       func(_ context.Context, in string) (string, error) { panic(in) },
			wantErr: "panic with a string", level: "ERROR", inLine: []string{`"stack"`, "TestLogged"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var buf bytes.Buffer
			logger, err := logging.New(logging.Config{}, &buf)
			if err != nil {
				t.Fatal(err)
			}

			out, err := logged(logger, tc.f)(t.Context(), "canary")

			if tc.wantErr == "" && (err != nil || out != "canary") || tc.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tc.wantErr)) {
				t.Errorf("got %q, %v", out, err)
			}
			if strings.Count(buf.String(), "\n") != 1 || strings.Contains(buf.String(), "canary") {
				t.Errorf("want one line without the event, got %s", buf.String())
			}
			var line map[string]any
			if err := json.Unmarshal(buf.Bytes(), &line); err != nil || line["level"] != tc.level || line["message"] != "invocation" {
				t.Errorf("line: %s, %v", buf.String(), err)
			}
			for _, part := range tc.inLine {
				if !strings.Contains(buf.String(), part) {
					t.Errorf("line: %s, want %s in it", buf.String(), part)
				}
			}
		})
	}
}
