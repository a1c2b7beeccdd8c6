// Package progress shows how far a long step is: on a terminal in one line that changes, otherwise in plain
// lines.
package progress

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
)

// clearLine is the ANSI sequence that empties the current line of a terminal.
const clearLine = "\r\x1b[K"

// steps is how many plain lines a whole step prints at most.
const steps = 5

// Printer writes progress and other output to one place. Lines that go through Write appear above the
// progress. It is safe for concurrent use.
type Printer struct {
	out      io.Writer
	terminal bool

	mu     sync.Mutex
	status string
	next   map[string]int // the count at which each step prints its next plain line
}

// New returns a Printer. It looks whether out is a terminal.
func New(out io.Writer) *Printer {
	return &Printer{out: out, terminal: isTerminal(out), next: map[string]int{}}
}

// isTerminal reports whether out is a terminal that moves its cursor.
func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && info.Name() != "null"
}

// Terminal reports whether the output is a terminal.
func (p *Printer) Terminal() bool { return p.terminal }

// Write implements io.Writer.
func (p *Printer) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.status == "" {
		return p.out.Write(text)
	}
	if _, err := io.WriteString(p.out, clearLine); err != nil {
		return 0, err
	}
	n, err := p.out.Write(text)
	if err == nil && strings.HasSuffix(string(text), "\n") {
		_, err = io.WriteString(p.out, p.status)
	}
	return n, err
}

// Count shows that done of total are done, with a detail such as the name of the last one. Plain lines
// have the first, the last and every fifth of the way.
func (p *Printer) Count(what string, done, total int, detail string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := fmt.Sprintf("%s: %d of %d", what, done, total)
	if p.terminal {
		const most = 79 // a line that wraps cannot be cleared
		if text += " " + detail; len(text) > most {
			text = text[:most]
		}
		p.status = text
		_, _ = io.WriteString(p.out, clearLine+text) // a closed terminal is no reason to stop
		return
	}
	if done < p.next[what] && done != total {
		return
	}
	p.next[what] = done + max(total/steps, 1)
	_, _ = io.WriteString(p.out, text+"\n")
}

// Done removes the line of progress.
func (p *Printer) Done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.status != "" {
		_, _ = io.WriteString(p.out, clearLine)
	}
	p.status = ""
	clear(p.next)
}

// Compiler returns the Compiler function of dist.Options that shows what go build does: the modules that
// it downloads, and the packages that it compiles. It calls sizes at the first of them, for the most that
// there can be of each.
func (p *Printer) Compiler(sizes func() (modules, packages int)) func(line string) {
	sizes = sync.OnceValues(sizes)
	downloaded, compiled := 0, 0
	return func(line string) {
		if module, ok := strings.CutPrefix(line, "go: downloading "); ok {
			downloaded++
			modules, _ := sizes()
			p.Count("downloading modules", downloaded, max(modules, downloaded), module)
			return
		}
		if line == "" || strings.ContainsAny(line, " \t#") {
			return // a message; Build returns it
		}
		compiled++
		_, packages := sizes()
		p.Count("compiling packages", compiled, max(packages, compiled), line)
	}
}
