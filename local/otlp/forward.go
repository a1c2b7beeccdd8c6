package otlp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// How a Forwarder sends.
const (
	queueLength    = 1024
	queueBytes     = 64 << 20
	attempts       = 5
	attemptTimeout = 10 * time.Second
	firstPause     = 100 * time.Millisecond
)

// Forwarder sends exports to another endpoint as they came, one after the other in the order of their
// arrival, so that cumulative values never go back. Nobody waits for it.
type Forwarder struct {
	endpoint string
	header   http.Header
	client   *http.Client
	note     func(sentence string)

	mu     sync.Mutex
	queue  []Export
	bytes  int
	lost   bool // and noted
	closed bool
	wake   chan struct{}   // has one element when the queue may have grown or closed
	ctx    context.Context //nolint:containedctx // it ends the attempts of the one goroutine
	cancel context.CancelFunc
	done   chan struct{}
}

// Forward starts a Forwarder to an endpoint such as http://localhost:4318, as OTEL_EXPORTER_OTLP_ENDPOINT and
// OTEL_EXPORTER_OTLP_HEADERS give it. note receives a message when an export is lost for the first time. Nil
// drops it. Close ends it.
func Forward(endpoint, headers string, note func(sentence string)) (*Forwarder, error) {
	base, err := url.Parse(endpoint)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" || base.RawQuery != "" || base.User != nil {
		return nil, errors.New("OTEL_EXPORTER_OTLP_ENDPOINT: want a URL such as http://localhost:4318, without user and query")
	}
	header, err := parseHeaders(headers)
	if err != nil {
		return nil, err
	}
	if note == nil {
		note = func(string) {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	f := &Forwarder{
		endpoint: strings.TrimSuffix(endpoint, "/"), header: header, note: note,
		client: &http.Client{
			Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, IdleConnTimeout: 30 * time.Second}, Timeout: attemptTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		wake: make(chan struct{}, 1), ctx: ctx, cancel: cancel, done: make(chan struct{}),
	}
	go f.run()
	return f, nil
}

// parseHeaders reads "name=value,name=value". Values are percent-encoded. An error does not show them.
func parseHeaders(list string) (http.Header, error) {
	header := http.Header{}
	for part := range strings.SplitSeq(list, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, value, found := strings.Cut(part, "=")
		decoded, err := url.PathUnescape(strings.TrimSpace(value))
		if !found || err != nil || strings.TrimSpace(name) == "" || strings.ContainsAny(decoded, "\r\n") {
			return nil, errors.New("OTEL_EXPORTER_OTLP_HEADERS: want name=value, separated by commas, with values percent-encoded")
		}
		header.Add(strings.TrimSpace(name), decoded)
	}
	return header, nil
}

// Send queues an export, or loses it if the queue is full.
func (f *Forwarder) Send(e Export) {
	f.mu.Lock()
	full := f.closed || len(f.queue) >= queueLength || f.bytes+len(e.Body) > queueBytes
	if !full {
		f.queue = append(f.queue, Export{Signal: e.Signal, Body: e.Body, ContentType: e.ContentType, ContentEncoding: e.ContentEncoding})
		f.bytes += len(e.Body)
	}
	f.mu.Unlock()
	if full {
		f.lose("too much waits for it")
		return
	}
	f.rouse()
}

func (f *Forwarder) rouse() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// Close sends what is queued until ctx ends, and stops.
func (f *Forwarder) Close(ctx context.Context) {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.rouse()
	select {
	case <-f.done:
	case <-ctx.Done():
		f.cancel()
		<-f.done
	}
	f.cancel()
	f.client.CloseIdleConnections()
}

func (f *Forwarder) run() {
	defer close(f.done)
	for {
		e, ok := f.next()
		if !ok {
			return
		}
		if err := f.deliver(e); err != nil {
			f.lose(err.Error())
		}
	}
}

// next waits for an export. After Close it returns false when the queue is empty or the time is over.
func (f *Forwarder) next() (Export, bool) {
	for {
		f.mu.Lock()
		if len(f.queue) > 0 && f.ctx.Err() == nil {
			e := f.queue[0]
			f.queue[0] = Export{}
			f.queue = f.queue[1:]
			f.bytes -= len(e.Body)
			f.mu.Unlock()
			return e, true
		}
		closed := f.closed
		f.mu.Unlock()
		if closed {
			return Export{}, false
		}
		<-f.wake
	}
}

// deliver sends an export until it is taken, refused for good, or has been tried often enough.
func (f *Forwarder) deliver(e Export) error {
	pause := firstPause
	for n := 1; ; n++ {
		again, err := f.attempt(e)
		if err == nil || !again || n == attempts {
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
			pause *= 2
		case <-f.ctx.Done():
			timer.Stop()
			return err
		}
	}
}

// attempt sends an export once. again is true if another attempt may help. (OTLP Specification, "Failures".)
func (f *Forwarder) attempt(e Export) (again bool, err error) {
	r, err := http.NewRequestWithContext(f.ctx, http.MethodPost, f.endpoint+e.Signal.Path(), bytes.NewReader(e.Body))
	if err != nil {
		return false, err
	}
	r.Header = f.header.Clone()
	r.Header.Set("Content-Type", e.ContentType)
	if e.ContentEncoding != "" {
		r.Header.Set("Content-Encoding", e.ContentEncoding)
	}
	response, err := f.client.Do(r)
	if err != nil {
		return true, err
	}
	_ = response.Body.Close()
	switch response.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		again = true
	}
	if response.StatusCode/100 != 2 {
		return again, fmt.Errorf("it answered %d", response.StatusCode)
	}
	return false, nil
}

// lose notes the first export that is lost.
func (f *Forwarder) lose(reason string) {
	f.mu.Lock()
	first := !f.lost
	f.lost = true
	f.mu.Unlock()
	if first {
		f.note("Telemetry for " + f.endpoint + " is lost: " + reason + ". The API goes on; this is said once.")
	}
}
