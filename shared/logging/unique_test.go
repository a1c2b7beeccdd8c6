package logging_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"github.com/tienda-dev/tienda/shared/logging"
)

// repeated returns the first name that one object of the JSON text has twice.
func repeated(t *testing.T, text []byte) string {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(text))
	var walk func() string
	walk = func() string {
		token, err := dec.Token()
		if err != nil {
			t.Fatalf("not JSON: %s: %v", text, err)
		}
		seen := map[string]bool{}
		for token == json.Delim('{') && dec.More() {
			name, err := dec.Token()
			if err != nil {
				t.Fatalf("not JSON: %s: %v", text, err)
			}
			if seen[name.(string)] {
				return name.(string)
			}
			seen[name.(string)] = true
			if found := walk(); found != "" {
				return found
			}
		}
		for token == json.Delim('[') && dec.More() {
			if found := walk(); found != "" {
				return found
			}
		}
		if token == json.Delim('{') || token == json.Delim('[') {
			_, _ = dec.Token() // its end
		}
		return ""
	}
	return walk()
}

func TestANameAppearsOnce(t *testing.T) {
	t.Parallel()
	many := make([]zap.Field, 0, 100)
	for i := range 100 {
		many = append(many, zap.Int(fmt.Sprintf("n%d", i%50), i))
	}
	for name, c := range map[string]struct {
		log  func(*zap.Logger)
		want map[string]any // of the line
	}{
		"CallOverLogger": {func(l *zap.Logger) { l.With(zap.Int("a", 1), zap.Int("b", 1)).Info("x", zap.Int("a", 2)) }, map[string]any{"a": 2.0, "b": 1.0}},
		"CallOverLazy":   {func(l *zap.Logger) { l.WithLazy(zap.Int("a", 1)).Info("x", zap.Int("a", 2)) }, map[string]any{"a": 2.0}},
		"Process":        {func(l *zap.Logger) { l.Info("x", zap.String("service", "mine")) }, map[string]any{"service": "mine"}},
		"SameCall":       {func(l *zap.Logger) { l.Info("x", zap.Int("a", 1), zap.Int("b", 5), zap.Int("a", 2), zap.Int("a", 3)) }, map[string]any{"a": 3.0, "b": 5.0}},
		"Own": {func(l *zap.Logger) {
			l.Named("own").Error("text", zap.String("level", "x"), zap.Int("message", 1), zap.Any("timestamp", []int{1}),
				zap.String("logger", "x"), zap.String("location", "x"), zap.Int("last", 1))
		}, map[string]any{"level": "ERROR", "message": "text", "timestamp": "2026-11-24T11:34:56.007Z", "logger": "own", "last": 1.0}},
		"OwnAtTheEnd": {func(l *zap.Logger) { l.Info("text", zap.Int("a", 1), zap.Int("message", 1), zap.Int("level", 1)) }, map[string]any{"level": "INFO", "message": "text", "a": 1.0}},
		"OwnNotThere": {func(l *zap.Logger) { l.Info("x", zap.String("logger", "mine"), zap.String("location", "here")) }, map[string]any{"logger": "mine", "location": "here"}},
		"Escaped":     {func(l *zap.Logger) { l.Info("x", zap.Int(`a"\`, 1), zap.Int(`a"\`, 2)) }, map[string]any{`a"\`: 2.0}},
		"Dict": {func(l *zap.Logger) {
			l.Info("x", zap.Dict("d", zap.Int("a", 1), zap.Int("a", 2), zap.Int("level", 3), zap.Int("level", 4)))
		}, map[string]any{"d": map[string]any{"a": 2.0, "level": 4.0}}},
		"Namespace": {func(l *zap.Logger) {
			l.Info("x", zap.Int("a", 0), zap.Namespace("n"), zap.Int("a", 1), zap.Int("a", 2))
		}, map[string]any{"a": 0.0, "n": map[string]any{"a": 2.0}}},
		"Inline":       {func(l *zap.Logger) { l.Info("x", zap.Int("a", 1), zap.Inline(object{[]zap.Field{zap.Int("a", 2)}})) }, map[string]any{"a": 2.0}},
		"Error":        {func(l *zap.Logger) { l.Info("x", zap.Error(errors.New("1")), zap.Error(errors.New("2"))) }, map[string]any{"error": map[string]any{"type": "*errors.errorString", "message": "2"}}},
		"CutInsideCut": {func(l *zap.Logger) { l.Info("x", zap.Dict("d", zap.Int("a", 1), zap.Int("a", 2)), zap.Int("d", 3)) }, map[string]any{"d": 3.0}},
		"Elements": {func(l *zap.Logger) {
			l.Info("x", zap.Objects("l", []object{{[]zap.Field{zap.Int("a", 1), zap.Int("a", 2)}}, {}}))
		}, map[string]any{"l": []any{map[string]any{"a": 2.0}, map[string]any{}}}},
		"Many": {func(l *zap.Logger) { l.Info("x", many...) }, map[string]any{"n0": 50.0, "n49": 99.0}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, disabled := range []bool{false, true} {
				log, out := newLogger(t, logging.Config{DisableRedaction: disabled})
				c.log(log)
				if twice := repeated(t, out.Bytes()); twice != "" || bytes.Count(out.Bytes(), []byte("\n")) != 1 {
					t.Errorf("%q appears twice: %s", twice, out)
				}
				got := decode(t, out.Bytes())
				for name, want := range c.want {
					if diff := cmp.Diff(want, got[name]); diff != "" {
						t.Errorf("%s (-want +got):\n%s", name, diff)
					}
				}
				log, out = newLogger(t, logging.Config{DisableRedaction: disabled, Format: logging.FormatConsole})
				c.log(log)
				if twice := repeated(t, out.Bytes()[strings.IndexByte(out.String(), '{'):]); twice != "" {
					t.Errorf("%q appears twice: %s", twice, out)
				}
			}
		})
	}
}
