package stack

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/tienda-dev/tienda/local/metrics"
	"github.com/tienda-dev/tienda/local/otlp"
	"github.com/tienda-dev/tienda/local/runtime"
	"github.com/tienda-dev/tienda/local/template"
)

// Where functions send telemetry, by OpenTelemetry's names.
const (
	envOTLPEndpoint = "OTEL_EXPORTER_OTLP_ENDPOINT"
	envOTLPProtocol = "OTEL_EXPORTER_OTLP_PROTOCOL"
	envOTLPDisabled = "OTEL_SDK_DISABLED"
	envBusyInterval = "TELEMETRY_BUSY_INTERVAL"
	otlpProtocol    = "http/protobuf"
)

// metricsPath is where the API's address serves the functions' metrics.
const metricsPath = "/metrics"

// Telemetry is where the functions' telemetry is sent, besides the metrics of this machine.
type Telemetry struct {
	// Endpoint is the base URL of OTLP over HTTP. Empty sends nothing.
	Endpoint string
	// Headers are name=value pairs, separated by commas.
	Headers string
	// BusyInterval is how long a busy function collects before it sends, at most; the rest follows when its process
	// ends. 0 sends after every invocation, so that who calls the API sees each request at once.
	BusyInterval time.Duration
}

// forwardTimeout is how long Stop waits for telemetry that is not forwarded yet.
const forwardTimeout = 2 * time.Second

// receive starts the receiver of the functions' telemetry. It ends after the functions do, because they send
// when they end.
func (s *Stack) receive(ctx context.Context, opts Options) error {
	store := metrics.New(metrics.Config{})
	var err error
	if s.metrics, err = store.Handler(); err != nil {
		return err
	}
	var forwarder *otlp.Forwarder
	if opts.Telemetry.Endpoint != "" {
		if forwarder, err = otlp.Forward(opts.Telemetry.Endpoint, opts.Telemetry.Headers, opts.Note); err != nil {
			return err
		}
		s.stops = append(s.stops, func() {
			ctx, cancel := context.WithTimeout(context.Background(), forwardTimeout)
			defer cancel()
			forwarder.Close(ctx)
		})
	}
	var once sync.Once
	receiver := otlp.Handler(func(e otlp.Export) otlp.Result {
		if forwarder != nil {
			forwarder.Send(e)
		}
		if e.Metrics == nil {
			return otlp.Result{}
		}
		rejected, reason := store.Add(e.Metrics)
		if rejected > 0 && opts.Note != nil {
			once.Do(func() { opts.Note(fmt.Sprintf("%s does not have all metrics: %s", metricsPath, reason)) })
		}
		return otlp.Result{Rejected: rejected, Message: reason}
	})
	listeners, err := Listen(ctx, "")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: receiver, ReadHeaderTimeout: 10 * time.Second}
	var served sync.WaitGroup
	served.Go(func() { _ = server.Serve(listeners[0]) }) // it ends when the server is closed below
	s.stops = append(s.stops, func() {
		_ = server.Close()
		served.Wait()
	})
	s.OTLP = "http://" + listeners[0].Addr().String()
	return nil
}

// observe gives functions the address of the receiver.
func observe(functions []runtime.Function, endpoint string, busyInterval time.Duration) {
	for i := range functions {
		if functions[i].Env == nil {
			functions[i].Env = map[string]string{}
		}
		functions[i].Env[envOTLPEndpoint] = endpoint
		functions[i].Env[envOTLPProtocol] = otlpProtocol
		functions[i].Env[envBusyInterval] = strconv.FormatInt(busyInterval.Milliseconds(), 10)
	}
}

// checkMetricsPath refuses a route that metricsPath would hide.
func checkMetricsPath(t *template.Template) error {
	for _, f := range t.Functions {
		for _, r := range f.Routes {
			if r.Path == metricsPath && (r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == "ANY") {
				return fmt.Errorf("the route %s of %s cannot be served: make run serves the functions' metrics at %s", r.Key(), f.LogicalID, metricsPath)
			}
		}
	}
	return nil
}

// withMetrics serves metricsPath, and the API at every other path.
func withMetrics(shown, api http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == metricsPath && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
			shown.ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, r)
	})
}
