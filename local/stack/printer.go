package stack

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/tienda-dev/tienda/local/gateway"
)

// printer writes whole lines from many goroutines.
type printer struct {
	mu  sync.Mutex
	out io.Writer
}

func newPrinter(out io.Writer) *printer {
	if out == nil {
		out = io.Discard
	}
	return &printer{out: out}
}

func (p *printer) line(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = io.WriteString(p.out, text+"\n") // a closed terminal is no reason to stop serving
}

// function prints a line that a function wrote.
func (p *printer) function(name, text string) { p.line(name + " | " + text) }

// access prints one request.
func (p *printer) access(a gateway.Access) { p.line(accessLine(time.Now(), a)) }

// accessLine is "15:04:05 200 GET /v1/products/{id} 4.1 ms 23 MB (cold start 31 ms)", with the reason if
// the gateway itself answered with a failure.
func accessLine(now time.Time, a gateway.Access) string {
	var b strings.Builder
	key := a.RouteKey
	switch {
	case key == "":
		key = a.Method + " " + a.Path + " (no route)"
	case key == "$default":
		key = a.Method + " " + a.Path + " ($default)"
	}
	fmt.Fprintf(&b, "%s %d %s %s", now.Format(time.TimeOnly), a.Status, key, milliseconds(a.Duration))
	if a.MaxMemoryMB > 0 {
		fmt.Fprintf(&b, " %d MB", a.MaxMemoryMB)
	}
	if a.Cold {
		fmt.Fprintf(&b, " (cold start %s)", milliseconds(a.InitDuration))
	}
	if a.Error != "" {
		b.WriteString(": " + a.Error)
	}
	return b.String()
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}
