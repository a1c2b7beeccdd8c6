// Package otlp receives OpenTelemetry's protocol over HTTP on this machine, in protobuf and in JSON, and
// forwards what it received.
//
// Source: "OTLP Specification 1.9", sections OTLP/HTTP and JSON Protobuf Encoding.
package otlp

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"

	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// Signal is a kind of telemetry.
type Signal string

// The signals, as they appear in paths.
const (
	Traces  Signal = "traces"
	Metrics Signal = "metrics"
	Logs    Signal = "logs"
)

// MaxBodyBytes is the most that one export may have, before and after decompression.
const MaxBodyBytes = 16 << 20

// The media types of an export.
const (
	protobufType = "application/x-protobuf"
	jsonType     = "application/json"
)

// Path returns where a signal is sent.
func (s Signal) Path() string { return "/v1/" + string(s) }

// Export is one request of an exporter. Exactly one of the messages is set. They have the same form on the
// wire as the requests of the collector's services, without a dependency on gRPC.
type Export struct {
	Signal  Signal
	Traces  *tracepb.TracesData
	Metrics *metricspb.MetricsData
	Logs    *logspb.LogsData

	// Body is what was sent, with these headers.
	Body            []byte
	ContentType     string
	ContentEncoding string
}

// Result is what the receiver of an export did with it. The zero value is success.
type Result struct {
	// Rejected is how many spans, data points or log records were not taken, for the reason Message.
	Rejected int64
	Message  string
}

// Handler answers exports of every signal, each at its path, by a call of take. take is called from many
// goroutines.
func Handler(take func(Export) Result) http.Handler {
	mux := http.NewServeMux()
	for _, signal := range []Signal{Traces, Metrics, Logs} {
		mux.HandleFunc("POST "+signal.Path(), func(w http.ResponseWriter, r *http.Request) {
			export, err := Decode(signal, w, r)
			if err != nil {
				refuse(w, r, err)
				return
			}
			answer(w, export, take(export))
		})
	}
	return mux
}

// refusal is an error with the status of its answer.
type refusal struct {
	status int
	reason string
}

// Error implements error.
func (e *refusal) Error() string { return e.reason }

// Decode reads an export. An error is the client's fault.
func Decode(signal Signal, w http.ResponseWriter, r *http.Request) (Export, error) {
	e := Export{Signal: signal, ContentEncoding: r.Header.Get("Content-Encoding")}
	var err error
	if e.ContentType, _, err = mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil ||
		e.ContentType != protobufType && e.ContentType != jsonType {
		return e, &refusal{http.StatusUnsupportedMediaType, "Content-Type: want " + protobufType + " or " + jsonType}
	}
	if e.Body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBodyBytes)); err != nil {
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			return e, &refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf("body: want at most %d bytes", MaxBodyBytes)}
		}
		return e, &refusal{http.StatusBadRequest, "body: it ends too early"}
	}
	plain, err := e.plain()
	if err != nil {
		return e, err
	}
	if err := e.decode(plain); err != nil {
		return e, &refusal{http.StatusBadRequest, fmt.Sprintf("body: decode %s: %v", e.ContentType, err)}
	}
	return e, nil
}

// plain returns the body without its compression.
func (e *Export) plain() ([]byte, error) {
	switch e.ContentEncoding {
	case "", "identity":
		return e.Body, nil
	case "gzip":
	default:
		return nil, &refusal{http.StatusUnsupportedMediaType, "Content-Encoding: want gzip or none"}
	}
	packed, err := gzip.NewReader(bytes.NewReader(e.Body))
	if err != nil {
		return nil, &refusal{http.StatusBadRequest, "body: not gzip"}
	}
	plain, err := io.ReadAll(io.LimitReader(packed, MaxBodyBytes+1))
	switch {
	case err != nil:
		return nil, &refusal{http.StatusBadRequest, "body: not gzip"}
	case len(plain) > MaxBodyBytes:
		return nil, &refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf("body: want at most %d bytes without gzip", MaxBodyBytes)}
	}
	return plain, nil
}

// decode fills the message of the signal.
func (e *Export) decode(plain []byte) error {
	var message proto.Message
	switch e.Signal {
	case Traces:
		e.Traces = &tracepb.TracesData{}
		message = e.Traces
	case Metrics:
		e.Metrics = &metricspb.MetricsData{}
		message = e.Metrics
	case Logs:
		e.Logs = &logspb.LogsData{}
		message = e.Logs
	default:
		return fmt.Errorf("unknown signal %q", e.Signal)
	}
	if e.ContentType == protobufType {
		return proto.Unmarshal(plain, message)
	}
	plain, err := idsToBase64(plain)
	if err != nil {
		return err
	}
	return protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(plain, message)
}

// answer writes the response to an export: empty, or with a partial success.
func answer(w http.ResponseWriter, e Export, result Result) {
	w.Header().Set("Content-Type", e.ContentType)
	if e.ContentType == jsonType {
		if result == (Result{}) {
			_, _ = io.WriteString(w, "{}")
			return
		}
		writeJSON(w, map[string]any{"partialSuccess": map[string]string{
			e.Signal.rejectedField(): strconv.FormatInt(result.Rejected, 10), "errorMessage": result.Message,
		}})
		return
	}
	if result == (Result{}) {
		w.WriteHeader(http.StatusOK)
		return
	}
	// The three services' responses have the same numbers: partial_success is 1, and in it the count is 1 and
	// error_message is 2.
	var partial []byte
	partial = protowire.AppendTag(partial, 1, protowire.VarintType)
	partial = protowire.AppendVarint(partial, uint64(result.Rejected))
	partial = protowire.AppendTag(partial, 2, protowire.BytesType)
	partial = protowire.AppendString(partial, result.Message)
	body := protowire.AppendTag(nil, 1, protowire.BytesType)
	_, _ = w.Write(protowire.AppendBytes(body, partial))
}

// rejectedField is the name of the count in a partial success.
func (s Signal) rejectedField() string {
	switch s {
	case Traces:
		return "rejectedSpans"
	case Logs:
		return "rejectedLogRecords"
	default:
		return "rejectedDataPoints"
	}
}

// refuse writes the answer to a request that is not an export: a google.rpc.Status.
func refuse(w http.ResponseWriter, r *http.Request, err error) {
	const invalidArgument = 3
	status := http.StatusBadRequest
	if refused := (*refusal)(nil); errors.As(err, &refused) {
		status = refused.status
	}
	if mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); mediaType != protobufType {
		w.Header().Set("Content-Type", jsonType)
		w.WriteHeader(status)
		writeJSON(w, map[string]any{"code": invalidArgument, "message": err.Error()})
		return
	}
	body := protowire.AppendTag(nil, 1, protowire.VarintType)
	body = protowire.AppendVarint(body, invalidArgument)
	body = protowire.AppendTag(body, 2, protowire.BytesType)
	w.Header().Set("Content-Type", protobufType)
	w.WriteHeader(status)
	_, _ = w.Write(protowire.AppendString(body, err.Error()))
}

// writeJSON writes a document of strings and numbers, which can always be encoded.
func writeJSON(w io.Writer, document map[string]any) {
	text, _ := json.Marshal(document)
	_, _ = w.Write(text)
}
