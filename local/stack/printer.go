package stack

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/tienda-dev/tienda/local/gateway"
	"github.com/tienda-dev/tienda/local/runtime"
)

// Logs is what a Stack prints about requests.
type Logs string

// The values of Logs.
const (
	// LogsAll is a line per request, and under it every line of its functions with their names.
	LogsAll Logs = ""
	// LogsPeople is LogsAll without what the line of the request has already: only warnings, errors and the
	// functions' own messages, without constant fields.
	LogsPeople Logs = "people"
	// LogsJSON is the functions' lines as they are, those of one request together, and nothing else.
	LogsJSON Logs = "json"
)

// printer writes each request with the lines of its functions under it, whole and in the order in which
// requests end, from many goroutines. Lines that belong to no request are written at once.
type printer struct {
	logs  Logs
	paint painter

	mu  sync.Mutex
	out io.Writer
	// lines are those of invocations whose request is not written yet, by invocation.
	lines map[string][]runtime.Line
	// over has the invocations that have ended, and waits the requests that wait for some of theirs.
	over  map[string]bool
	waits map[string]*request
	// kept are the requests of Prepare, which are written only if it fails.
	kept strings.Builder
}

// request is a request, or another event, that has been answered.
type request struct {
	ids     []string // of the invocations
	line    string
	quiet   bool // its line is written only above others
	pending int  // invocations that have not ended
	kept    bool
}

func newPrinter(out io.Writer, logs Logs, color bool) *printer {
	if out == nil {
		out = io.Discard
	}
	return &printer{
		out: out, logs: logs, paint: painter(color),
		lines: map[string][]runtime.Line{}, over: map[string]bool{}, waits: map[string]*request{},
	}
}

// function takes a line that a function wrote.
func (p *printer) function(line runtime.Line) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if line.RequestID == "" {
		p.write(p.functionLine(line))
		return
	}
	p.lines[line.RequestID] = append(p.lines[line.RequestID], line)
}

// complete takes the end of an invocation, after its last line.
func (p *printer) complete(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r, waited := p.waits[id]
	if !waited {
		p.over[id] = true
		return
	}
	delete(p.waits, id)
	if r.pending--; r.pending == 0 {
		p.request(r)
	}
}

// access takes a request that has been answered. Its functions may still write.
func (p *printer) access(a gateway.Access) {
	p.answered(&request{ids: a.Requests, line: accessLine(p.paint, time.Now(), a)})
}

// keep is access for a request of Prepare.
func (p *printer) keep(a gateway.Access) {
	p.answered(&request{ids: a.Requests, line: accessLine(p.paint, time.Now(), a), kept: true})
}

// event takes an invocation that no request caused. Schedules that succeed without a message are not worth a line.
func (p *printer) event(e event) {
	r := &request{line: eventLine(p.paint, time.Now(), e), quiet: e.scheduled && e.failure() == ""}
	if e.result.RequestID != "" { // otherwise nothing was invoked
		r.ids = []string{e.result.RequestID}
	}
	p.answered(r)
}

// show writes the requests of Prepare.
func (p *printer) show() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.write(p.kept.String())
}

func (p *printer) answered(r *request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range r.ids {
		if p.over[id] {
			delete(p.over, id)
			continue
		}
		p.waits[id] = r
		r.pending++
	}
	if r.pending == 0 {
		p.request(r)
	}
}

// request writes a request and its lines. The caller holds the lock.
func (p *printer) request(r *request) {
	var b strings.Builder
	for _, id := range r.ids {
		for _, line := range p.lines[id] {
			b.WriteString(p.functionLine(line))
		}
		delete(p.lines, id)
	}
	lines := b.String()
	b.Reset()
	if p.logs != LogsJSON && (!r.quiet || lines != "") {
		b.WriteString(r.line + "\n")
	}
	b.WriteString(lines)
	if r.kept {
		p.kept.WriteString(b.String())
		return
	}
	p.write(b.String())
}

// write writes whole lines. The caller holds the lock.
func (p *printer) write(text string) {
	_, _ = io.WriteString(p.out, text) // a closed terminal does not stop the API
}

// functionLine returns what is printed of a function's line, with a line break; empty for nothing.
func (p *printer) functionLine(line runtime.Line) string {
	text := line.Text
	switch p.logs {
	case LogsJSON:
		return text + "\n"
	case LogsPeople:
		if text = forPeople(p.paint, text); text == "" {
			return ""
		}
		return "  " + line.Function + " | " + text + "\n"
	default:
		return line.Function + " | " + text + "\n"
	}
}

// accessLine is "15:04:05 404 GET /v1/products/{id} 4.1 ms 23 MB (cold start 31.0 ms) product_not_found",
// with the reason if the gateway itself answered with a failure.
func accessLine(paint painter, at time.Time, a gateway.Access) string {
	var b strings.Builder
	key := a.RouteKey
	switch {
	case key == "":
		key = a.Method + " " + a.Path + " (no route)"
	case key == "$default":
		key = a.Method + " " + a.Path + " ($default)"
	case strings.HasPrefix(key, "ANY "):
		key = a.Method + strings.TrimPrefix(key, "ANY")
	}
	fmt.Fprintf(&b, "%s %s %s %s", paint.dim(at.Format(time.TimeOnly)), paint.status(a.Status), key, milliseconds(a.Duration))
	b.WriteString(costs(a.MaxMemoryMB, a.Cold, a.InitDuration))
	if a.ErrorCode != "" {
		b.WriteString(" " + printable(a.ErrorCode))
	}
	if a.Error != "" {
		b.WriteString(": " + printable(a.Error))
	}
	return b.String()
}

// event is an invocation by a stream, a queue or a schedule.
type event struct {
	function, name string
	scheduled      bool
	result         runtime.Result
	err            error
}

// failure says why the invocation failed; empty is a success.
func (e event) failure() string {
	switch {
	case e.err != nil:
		return e.err.Error()
	case e.result.FunctionError:
		return string(e.result.Payload)
	default:
		return ""
	}
}

// eventLine is "15:04:05 event dispatch-events Stream 4.1 ms 23 MB (cold start 31.0 ms)", with the error if it
// failed.
func eventLine(paint painter, at time.Time, e event) string {
	word := paint.color(green, "event")
	failed := e.failure()
	if failed != "" {
		word, failed = paint.color(red, "event"), ": "+printable(failed)
	}
	return fmt.Sprintf("%s %s %s %s %s%s%s", paint.dim(at.Format(time.TimeOnly)), word, e.function, e.name,
		milliseconds(e.result.Duration), costs(e.result.MaxMemoryMB, e.result.Cold, e.result.InitDuration), failed)
}

// costs is " 23 MB (cold start 31.0 ms)".
func costs(memoryMB int, cold bool, init time.Duration) string {
	var b strings.Builder
	if memoryMB > 0 {
		fmt.Fprintf(&b, " %d MB", memoryMB)
	}
	if cold {
		fmt.Fprintf(&b, " (cold start %s)", milliseconds(init))
	}
	return b.String()
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}
