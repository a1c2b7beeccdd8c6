package runtime

import (
	"bytes"
	"strings"
	"sync"
)

// maxLine is where a longer line is cut in two, in bytes: CloudWatch's limit of one log event.
const maxLine = 256 << 10

// drainMark is the line of process.drain, which is not emitted.
const drainMark = "\x00drain\x00"

// lineWriter splits what a process writes into lines. Its methods are safe for concurrent use.
type lineWriter struct {
	emit func(line string)
	// drained receives when drainMark is read. It has room for one.
	drained chan struct{}

	mu   sync.Mutex
	rest []byte
}

// Write emits every complete line of p and keeps the rest. It never fails.
func (w *lineWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(p)
	for len(p) > 0 {
		end := bytes.IndexByte(p, '\n')
		room := maxLine - len(w.rest)
		switch {
		case end >= 0 && end <= room:
			w.out(append(w.rest, p[:end]...))
			p = p[end+1:]
		case len(p) >= room:
			w.out(append(w.rest, p[:room]...))
			p = p[room:]
		default:
			w.rest = append(w.rest, p...)
			p = nil
		}
	}
	return n, nil
}

// flush emits what was written without a line break at the end.
func (w *lineWriter) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.rest) > 0 {
		w.out(w.rest)
	}
}

// out emits one line and forgets the rest. The caller holds the lock.
func (w *lineWriter) out(line []byte) {
	defer func() { w.rest = w.rest[:0] }()
	if before, marked := bytes.CutSuffix(line, []byte(drainMark)); marked {
		if len(before) > 0 {
			w.emitLine(before)
		}
		w.drained <- struct{}{}
		return
	}
	w.emitLine(line)
}

func (w *lineWriter) emitLine(line []byte) {
	w.emit(strings.ToValidUTF8(string(bytes.TrimSuffix(line, []byte{'\r'})), "�"))
}

// tail keeps the last line of a process's output, for the error that reports its end.
type tail struct {
	mu   sync.Mutex
	line string
}

// add remembers line unless it is blank.
func (t *tail) add(line string) {
	if strings.TrimSpace(line) == "" {
		return
	}
	if len(line) > 500 {
		line = strings.ToValidUTF8(line[:500], "") + "…"
	}
	t.mu.Lock()
	t.line = line
	t.mu.Unlock()
}

// forget drops the line.
func (t *tail) forget() {
	t.mu.Lock()
	t.line = ""
	t.mu.Unlock()
}

// last returns the line, empty when there was none.
func (t *tail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.line
}
