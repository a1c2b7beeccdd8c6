package main

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// timed records the time of each write.
type timed struct {
	text  bytes.Buffer
	at    []time.Time
	parts []string
}

// Write implements io.Writer.
func (w *timed) Write(p []byte) (int, error) {
	w.at, w.parts = append(w.at, time.Now()), append(w.parts, string(p))
	return w.text.Write(p)
}

func TestReportComesAlone(t *testing.T) {
	t.Parallel()
	const text = "START RequestId: a\n{\"level\":\"INFO\"}\nEND RequestId: a\nREPORT RequestId: a\tDuration: 1 ms\nlast line without an end"
	var out timed
	if err := space(&out, strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	if out.text.String() != text {
		t.Errorf("handed on: %q", out.text.String())
	}
	for i, part := range out.parts {
		if !strings.HasPrefix(part, "REPORT") {
			continue
		}
		if gap := out.at[i].Sub(out.at[i-1]); gap < pause {
			t.Errorf("the REPORT line came after %v, want a pause of %v", gap, pause)
		}
		if part != "REPORT RequestId: a\tDuration: 1 ms\n" {
			t.Errorf("the REPORT line came with something else: %q", part)
		}
	}
}

func TestLongLinesPass(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("x", 300_000) + "\nend\n"
	var out timed
	if err := space(&out, strings.NewReader(text)); err != nil || out.text.String() != text {
		t.Errorf("got %d bytes, %v; want %d", out.text.Len(), err, len(text))
	}
}

func TestExitCodeIsHandedOn(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	code, err := run(exec.Command("sh", "-c", "echo said; exit 7"), &out)
	if code != 7 || err != nil || out.String() != "said\n" {
		t.Errorf("got %d, %v, %q", code, err, out.String())
	}
	if code, err := run(exec.Command("/nowhere"), &out); code != 1 || err == nil {
		t.Errorf("a command that is not there: got %d, %v", code, err)
	}
}
