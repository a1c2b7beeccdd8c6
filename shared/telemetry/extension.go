package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tienda-dev/tienda/shared/internal/rawjson"
)

// extensionName is how Lambda lists the extension. An internal extension runs in the function's own process and may
// register for INVOKE only. https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
const extensionName = "telemetry"

const (
	// registerLimit bounds the registration, which the host of the environment answers.
	registerLimit = time.Second
	// nextAttempts is how often the next event is asked for. Lambda ends an environment whose extension does not
	// ask, but only when the invocation's time is over.
	nextAttempts = 3
	nextPause    = 50 * time.Millisecond
	// busyGap is the longest time without an event of an environment that is busy.
	busyGap = 100 * time.Millisecond
)

// extension exports after the response. Lambda returns the response without waiting for extensions, and freezes the
// environment when all of them have asked for their next event.
type extension struct {
	t      *Telemetry
	api    string
	id     string
	client *http.Client
	ended  chan ended // nil where exports are periodic
	dead   atomic.Bool
	cancel func() // ends the periodic exports; nil for an extension of Lambda's

	// readyAt is when the last event was done with, exportedAt the last export. They belong to the loop.
	readyAt, exportedAt time.Time
}

// ended is an invocation that has been answered.
type ended struct {
	id     string
	failed bool
}

// invokeEvent is an event of the Extensions API.
type invokeEvent struct {
	Type       string
	DeadlineMS int64
	RequestID  string
}

// readEvent reads an event by hand: it competes for the processor with the handler of its invocation.
func readEvent(text string) (event invokeEvent, err error) {
	r := rawjson.NewReader(text)
	r.Object(func(name string) {
		switch name {
		case "eventType":
			event.Type = r.Text()
		case "deadlineMs":
			event.DeadlineMS = r.Integer()
		case "requestId":
			event.RequestID = r.Text()
		default:
			r.Skip()
		}
	})
	r.End()
	return event, r.Err()
}

// register registers the extension. Lambda accepts that in INIT only.
func register(ctx context.Context, t *Telemetry) (*extension, error) {
	x := &extension{
		t: t, api: "http://" + t.cfg.RuntimeAPI + "/2020-01-01/extension/", ended: make(chan ended, 16),
		client: &http.Client{Transport: &http.Transport{}}, // no timeout: next answers with the next invocation
	}
	ctx, cancel := context.WithTimeout(ctx, registerLimit)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, x.api+"register", strings.NewReader(`{"events":["INVOKE"]}`))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Lambda-Extension-Name", extensionName)
	answer, err := x.client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("register the extension: %w", err)
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body) // so that the connection is used again
	x.id = answer.Header.Get("Lambda-Extension-Identifier")
	if answer.StatusCode != http.StatusOK || x.id == "" {
		return nil, fmt.Errorf("register the extension: status %d", answer.StatusCode)
	}
	return x, nil
}

// periodic exports at intervals, for processes that are never frozen.
func periodic(ctx context.Context, t *Telemetry) *extension {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		tick := time.NewTicker(periodicInterval)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				t.flush(ctx, modePost, t.cfg.timeout())
			case <-ctx.Done():
				return
			}
		}
	}()
	return &extension{t: t, cancel: cancel}
}

// stop ends the periodic exports. The loop of an extension ends with its environment.
func (x *extension) stop() {
	if x != nil && x.cancel != nil {
		x.cancel()
	}
}

// done says that the invocation has been answered. It returns false if no extension will export it.
func (x *extension) done(e ended) bool {
	if x == nil || x.dead.Load() {
		return false
	}
	if x.ended == nil {
		return true
	}
	select {
	case x.ended <- e:
		return true
	default: // the loop has stopped
		return false
	}
}

// loop serves one event at a time: it never asks for the next before this one's export is over.
func (x *extension) loop(ctx context.Context) {
	for {
		event, err := x.next(ctx)
		for attempt := 1; err != nil && attempt < nextAttempts; attempt++ {
			time.Sleep(nextPause)
			event, err = x.next(ctx)
		}
		if err != nil {
			x.dead.Store(true)
			x.t.report("all", "extension", err)
			x.t.flush(ctx, modeInline, x.t.cfg.timeout()) // what was handed over meanwhile
			return
		}
		x.serve(ctx, event)
	}
}

// serve waits for the end of the event's invocation, and exports if that is due.
func (x *extension) serve(ctx context.Context, event invokeEvent) {
	busy := x.t.now().Sub(x.readyAt) < busyGap
	defer func() { x.readyAt = x.t.now() }()
	end := time.UnixMilli(event.DeadlineMS).Add(-exitMargin)
	limit := time.NewTimer(end.Sub(x.t.now()))
	defer limit.Stop()
	for {
		select {
		case e := <-x.ended:
			if e.id != event.RequestID {
				continue // an earlier one, which ended after its deadline
			}
			if busy && !e.failed && !x.due() {
				return
			}
			x.t.flush(ctx, modePost, min(x.t.cfg.timeout(), end.Sub(x.t.now())))
			x.exportedAt = x.t.now()
			return
		case <-limit.C:
			// The guard has exported, or the runtime answered without calling the handler. Lambda ends an
			// environment whose extension is not ready at the deadline.
			return
		}
	}
}

// due reports whether a busy environment has to export: its last export is old, or one more request would be full.
func (x *extension) due() bool {
	if x.t.now().Sub(x.exportedAt) >= time.Duration(x.t.cfg.BusyIntervalMS)*time.Millisecond {
		return true
	}
	return x.t.spans != nil && x.t.spans.len() >= maxItems || x.t.records != nil && x.t.records.len() >= maxItems
}

func (x *extension) next(ctx context.Context) (event invokeEvent, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, x.api+"event/next", http.NoBody)
	if err != nil {
		return event, err
	}
	r.Header.Set("Lambda-Extension-Identifier", x.id)
	answer, err := x.client.Do(r)
	if err != nil {
		return event, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return event, fmt.Errorf("next event: status %d", answer.StatusCode)
	}
	text, err := io.ReadAll(answer.Body)
	if err == nil {
		event, err = readEvent(string(text))
	}
	if err != nil {
		return event, fmt.Errorf("next event: %w", err)
	}
	if event.Type != "INVOKE" {
		return event, errors.New("next event: not INVOKE")
	}
	return event, nil
}
