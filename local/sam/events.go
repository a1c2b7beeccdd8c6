package sam

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/tienda-dev/tienda/local/localddb"
	"github.com/tienda-dev/tienda/local/pump"
	"github.com/tienda-dev/tienda/local/queues"
	"github.com/tienda-dev/tienda/local/stack"
	"github.com/tienda-dev/tienda/local/template"
)

// serveQueues serves the template's queues where containers reach them.
func (d *Data) serveQueues(ctx context.Context) error {
	var err error
	if d.Queues, err = queues.New(queues.Config{Queues: stack.QueuesOf(d.cli.template)}); err != nil {
		return err
	}
	listeners, err := listenForContainers(ctx)
	if err != nil {
		return err
	}
	d.stopQueues = stack.ServeQueues(d.Queues, listeners)
	d.SQS = "http://" + listeners[0].Addr().String()
	return nil
}

// listenForContainers listens on one port of the loopback address and of every address by which containers reach
// this machine.
func listenForContainers(ctx context.Context) ([]net.Listener, error) {
	listeners, err := stack.Listen(ctx, "")
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(listeners[0].Addr().String())
	if err != nil {
		return nil, err
	}
	for _, host := range localddb.ContainerAddresses(ctx) {
		more, err := stack.Listen(ctx, net.JoinHostPort(host, port))
		if err != nil {
			for _, l := range listeners {
				_ = l.Close()
			}
			return nil, err
		}
		listeners = append(listeners, more...)
	}
	return listeners, nil
}

// Events invokes the functions of streams, queues and schedules in SAM's containers.
type Events struct {
	*pump.Pump
	server *Server
	client *http.Client
	closed func()
}

// StartEvents runs `sam local start-lambda` with the environment, and invokes by it what is not invoked by requests.
// The tables must exist.
func (c *CLI) StartEvents(ctx context.Context, d *Data, environment map[string]string) (*Events, error) {
	server, err := c.StartLambda(ctx, ServeOptions{Environment: environment})
	if err != nil {
		return nil, err
	}
	streams, closeStreams, err := stack.StreamsOf(d.Endpoint)
	if err != nil {
		server.Stop()
		return nil, err
	}
	transport := &http.Transport{}
	e := &Events{server: server, client: &http.Client{Transport: transport}, closed: func() {
		closeStreams()
		transport.CloseIdleConnections()
	}}
	e.Pump, err = pump.Start(ctx, pump.Config{
		Template: c.template, Queues: d.Queues, Streams: streams, Invoke: e.invoke, Note: c.note,
	})
	if err != nil {
		server.Stop()
		e.closed()
		return nil, err
	}
	return e, nil
}

// Stop ends the deliveries, and SAM with its containers.
func (e *Events) Stop() {
	e.Pump.Stop()
	e.server.Stop()
	e.closed()
}

// Containers returns the ids of the containers that it has started so far.
func (e *Events) Containers() []string { return e.server.Containers() }

// Ended is closed when SAM has ended, by Stop or by itself.
func (e *Events) Ended() <-chan struct{} { return e.server.Ended() }

// invoke calls a function of start-lambda.
func (e *Events) invoke(ctx context.Context, c pump.Call) (pump.Answer, error) {
	answer, failed, err := e.server.invoke(ctx, e.client, c.Function, c.Payload)
	return pump.Answer{Payload: answer, Failed: failed}, err
}

// invoke calls the Invoke operation of Lambda's API, which start-lambda serves. failed says that the answer is the
// function's error.
func (s *Server) invoke(ctx context.Context, client *http.Client, f template.Function, event []byte) (answer []byte, failed bool, err error) {
	url := s.URL + "/2015-03-31/functions/" + f.LogicalID + "/invocations"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(event))
	if err != nil {
		return nil, false, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = response.Body.Close() }() // it is read
	body, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return nil, false, err
	case response.StatusCode != http.StatusOK:
		return nil, false, fmt.Errorf("sam local start-lambda answers %d: %s", response.StatusCode, body)
	}
	return body, response.Header.Get("X-Amz-Function-Error") != "" || isError(body), nil
}

// isError reports whether an answer is that of a function that failed. SAM does not always set the header.
func isError(answer []byte) bool {
	var out map[string]json.RawMessage
	if json.Unmarshal(answer, &out) != nil {
		return false
	}
	return out["errorType"] != nil && out["errorMessage"] != nil
}
