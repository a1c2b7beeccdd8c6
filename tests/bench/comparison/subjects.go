package comparison

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/tienda-dev/tienda/tests/bench/harness"
)

// Bare is the name of the peer that every other binary is compared with.
const Bare = "bare"

// signals says what a function exports.
type signals int

const (
	silent        signals = iota // no telemetry
	tracesMetrics                // traces and metrics
	everySignal                  // traces, metrics and logs
)

// definition is a binary with one kind of event.
type definition struct {
	name, binary string
	peer         bool
	// event makes the payloads, and answers is a text that each right response contains.
	event   func(*world) ([][]byte, error)
	answers string
	sends   signals
	// limited leaves the rate limits on.
	limited bool
	// tuned gives a peer the variables of Go's runtime that Tienda's functions have.
	tuned bool
}

// The variables of Go's runtime that Tienda's functions have on Lambda, as in template.yaml.
const (
	goDebug    = "schedtrace=2147483647"
	goMaxProcs = "1"
)

func liveness(*world) ([][]byte, error) {
	return request("GET /health/live", "/health/live", "", "", "")
}

func oneProduct(w *world) ([][]byte, error) {
	return request("GET /v1/products/{id}", "/v1/products/"+w.product, "", "", w.product)
}

func oneProductWithToken(w *world) ([][]byte, error) {
	return request("GET /v1/products/{id}", "/v1/products/"+w.product, "", w.token(), w.product)
}

func listOfProducts(*world) ([][]byte, error) {
	return request("GET /v1/products", "/v1/products", "limit=20", "", "")
}

func myself(w *world) ([][]byte, error) { return request("GET /v1/me", "/v1/me", "", w.token(), "") }

func oneOrder(w *world) ([][]byte, error) {
	all, err := request("GET /v1/orders/{id}", "/v1/orders/"+w.order, "", w.token(), w.order)
	if err != nil {
		return nil, err
	}
	return authorized(all)
}

func decision(w *world) ([][]byte, error) { return authorizerRequest(w.token()) }

// Texts that right responses contain.
const (
	ok         = `"statusCode":200`
	authorised = `"isAuthorized":true`
)

// definitions are Tienda's functions and the known peers, in the order of the table.
func definitions() []definition {
	return []definition{
		{name: Bare, peer: true, event: liveness, answers: ok},
		{name: "bare+tuned", binary: Bare, peer: true, event: liveness, answers: ok, tuned: true},
		{name: "request", peer: true, event: liveness, answers: ok, tuned: true},
		{name: "typed", peer: true, event: liveness, answers: ok},
		{name: "chi", peer: true, event: liveness, answers: ok},
		{name: "otelwrap", peer: true, event: liveness, answers: ok, sends: tracesMetrics},
		{name: "otellambda", peer: true, event: liveness, answers: ok, sends: tracesMetrics},
		{name: "get-liveness", event: liveness, answers: ok},
		{name: "plainproduct", peer: true, event: oneProduct, answers: ok},
		{name: "get-product", event: oneProduct, answers: ok},
		{name: "naiveproduct", peer: true, event: oneProduct, answers: ok, sends: tracesMetrics},
		{name: "get-product+telemetry", binary: "get-product", event: oneProduct, answers: ok, sends: tracesMetrics},
		{name: "get-product+all", binary: "get-product", event: oneProduct, answers: ok, sends: tracesMetrics, limited: true},
		{name: "list-products", event: listOfProducts, answers: ok},
		{name: "get-order", event: oneOrder, answers: ok},
		{name: "naiveauthorizer", peer: true, event: decision, answers: authorised},
		{name: "authorizer", event: decision, answers: authorised},
		{name: "full", event: myself, answers: ok, sends: everySignal, limited: true},
		{name: "naivefull", peer: true, event: oneProductWithToken, answers: ok, sends: everySignal, limited: true},
		{name: "full+product", binary: "full", event: oneProductWithToken, answers: ok, sends: everySignal, limited: true},
	}
}

// program returns the name of the definition's binary.
func (d definition) program() string {
	if d.binary != "" {
		return d.binary
	}
	return d.name
}

// subject returns what the harness measures.
func (d definition) subject(w *world, binary string, b *harness.Backends, trust trust) (harness.Subject, error) {
	events, err := d.event(w)
	if err != nil {
		return harness.Subject{}, err
	}
	env := append(w.env(b), trust.env(d)...)
	if !d.peer || d.tuned {
		env = append(env, "GODEBUG="+goDebug, "GOMAXPROCS="+goMaxProcs)
	}
	if !d.limited {
		env = append(env, "RATE_LIMITS_OFF=all")
	}
	if d.sends != silent {
		env = append(env, "OTEL_EXPORTER_OTLP_ENDPOINT="+b.OTLPEndpoint(), "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
			"OTEL_TRACES_EXPORTER=otlp", "OTEL_METRICS_EXPORTER=otlp")
		logs := "none"
		if d.sends == everySignal {
			logs = "otlp"
		}
		env = append(env, "OTEL_LOGS_EXPORTER="+logs)
	}
	wanted := []byte(d.answers)
	return harness.Subject{
		Name: d.name, Binary: binary, Env: slices.Clip(env), Events: events,
		Check: func(response []byte) error {
			if !bytes.Contains(response, wanted) {
				return fmt.Errorf("the response has no %s: %.400s", wanted, response)
			}
			return nil
		},
	}, nil
}
