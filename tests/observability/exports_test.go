//go:build observability

package observability_test

import (
	"crypto/rand"
	"time"

	collogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	coltraces "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	traces "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	common "go.opentelemetry.io/proto/otlp/common/v1"
)

// exports returns an export of each signal by its path.
func exports(started time.Time, n uint64) map[string]proto.Message {
	return map[string]proto.Message{
		"/v1/metrics": everything(started, n), "/v1/traces": trace(200*time.Millisecond, false), "/v1/logs": logLine("a line"),
	}
}

func random(bytes int) []byte {
	id := make([]byte, bytes)
	_, _ = rand.Read(id) // it never fails
	return id
}

// trace is a trace of one span.
func trace(took time.Duration, failed bool, attributes ...*common.KeyValue) *coltraces.ExportTraceServiceRequest {
	end := time.Now()
	status := &traces.Status{}
	if failed {
		status.Code = traces.Status_STATUS_CODE_ERROR
	}
	return &coltraces.ExportTraceServiceRequest{ResourceSpans: []*traces.ResourceSpans{{
		Resource: &resource.Resource{Attributes: functionResource("instance-1")},
		ScopeSpans: []*traces.ScopeSpans{{Spans: []*traces.Span{{
			TraceId: random(16), SpanId: random(8), Name: "GET /v1/products", Kind: traces.Span_SPAN_KIND_SERVER, Attributes: attributes,
			StartTimeUnixNano: uint64(end.Add(-took).UnixNano()), EndTimeUnixNano: uint64(end.UnixNano()), Status: status,
		}}}},
	}}}
}

func logLine(body string, attributes ...*common.KeyValue) *collogs.ExportLogsServiceRequest {
	return &collogs.ExportLogsServiceRequest{ResourceLogs: []*logs.ResourceLogs{{
		Resource: &resource.Resource{Attributes: functionResource("instance-1")},
		ScopeLogs: []*logs.ScopeLogs{{LogRecords: []*logs.LogRecord{{
			TimeUnixNano: uint64(time.Now().UnixNano()), Attributes: attributes,
			Body: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: body}},
		}}}},
	}}}
}
