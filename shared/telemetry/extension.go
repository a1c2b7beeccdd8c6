package telemetry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// extensionName is how Lambda lists the extension. An internal extension runs in the function's own process and may
// register for INVOKE only. https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
const extensionName = "telemetry"

// responsePause lets the runtime send the response before the export competes for the CPU.
const responsePause = time.Millisecond

// extension exports after the response. Lambda returns the response without waiting for extensions, and freezes the
// environment when all of them have asked for their next event.
type extension struct {
	t      *Telemetry
	api    string
	id     string
	client *http.Client
	ended  chan string // ids of invocations that have been answered
	dead   atomic.Bool
}

// invokeEvent is an event of the Extensions API.
type invokeEvent struct {
	Type       string `json:"eventType"`  //nolint:tagliatelle // Lambda's name
	DeadlineMS int64  `json:"deadlineMs"` //nolint:tagliatelle // Lambda's name
	RequestID  string `json:"requestId"`  //nolint:tagliatelle // Lambda's name
}

// register registers the extension and starts its loop. Lambda accepts that in INIT only.
func register(ctx context.Context, t *Telemetry) (*extension, error) {
	x := &extension{
		t: t, api: "http://" + t.cfg.RuntimeAPI + "/2020-01-01/extension/", ended: make(chan string, 16),
		client: &http.Client{Transport: &http.Transport{}}, // no timeout: next answers with the next invocation
	}
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
	go x.loop()
	return x, nil
}

// periodic exports at intervals, for processes that are never frozen.
func periodic(t *Telemetry) *extension {
	go func() {
		for range time.Tick(periodicInterval) {
			t.flush(context.Background(), modePost, t.cfg.timeout())
		}
	}()
	return &extension{t: t}
}

// done says that the invocation has been answered. It returns false if no extension will export it.
func (x *extension) done(requestID string) bool {
	if x == nil || x.dead.Load() {
		return false
	}
	if x.ended == nil {
		return true
	}
	select {
	case x.ended <- requestID:
		return true
	default: // the loop has stopped
		return false
	}
}

// loop serves one event at a time: it never asks for the next before this one's export is over.
func (x *extension) loop() {
	for {
		event, err := x.next()
		if err != nil {
			x.dead.Store(true)
			x.t.report("all", "extension", err)
			x.t.flush(context.Background(), modeInline, x.t.cfg.timeout()) // what was handed over meanwhile
			return
		}
		x.serve(event)
	}
}

func (x *extension) serve(event invokeEvent) {
	defer func() {
		if p := recover(); p != nil { // a fault in an exporter must not end the function
			x.t.report("all", "panic", fmt.Errorf("panic with a %T", p))
		}
	}()
	deadline := time.UnixMilli(event.DeadlineMS)
	limit := time.NewTimer(deadline.Sub(x.t.now()))
	defer limit.Stop()
	for {
		select {
		case id := <-x.ended:
			if id != event.RequestID {
				continue // an earlier one, which ended after its deadline
			}
			time.Sleep(responsePause)
			left := min(x.t.cfg.timeout(), deadline.Sub(x.t.now())-exitMargin)
			if left > 0 {
				x.t.flush(context.Background(), modePost, left)
			}
			return
		case <-limit.C:
			return // the guard has exported
		}
	}
}

func (x *extension) next() (event invokeEvent, err error) {
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, x.api+"event/next", http.NoBody)
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
	if err := json.NewDecoder(answer.Body).Decode(&event); err != nil {
		return event, fmt.Errorf("next event: %w", err)
	}
	if event.Type != "INVOKE" {
		return event, errors.New("next event: not INVOKE")
	}
	return event, nil
}
