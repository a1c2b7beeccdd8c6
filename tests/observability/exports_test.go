//go:build observability

package observability_test

import (
	"crypto/rand"
	"time"

	collogspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
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
func trace(took time.Duration, failed bool, attributes ...*commonpb.KeyValue) *coltracepb.ExportTraceServiceRequest {
	end := time.Now()
	status := &tracepb.Status{}
	if failed {
		status.Code = tracepb.Status_STATUS_CODE_ERROR
	}
	return &coltracepb.ExportTraceServiceRequest{ResourceSpans: []*tracepb.ResourceSpans{{
		Resource: &resourcepb.Resource{Attributes: functionResource("instance-1")},
		ScopeSpans: []*tracepb.ScopeSpans{{Spans: []*tracepb.Span{{
			TraceId: random(16), SpanId: random(8), Name: "GET /v1/products", Kind: tracepb.Span_SPAN_KIND_SERVER, Attributes: attributes,
			StartTimeUnixNano: uint64(end.Add(-took).UnixNano()), EndTimeUnixNano: uint64(end.UnixNano()), Status: status,
		}}}},
	}}}
}

func logLine(body string, attributes ...*commonpb.KeyValue) *collogspb.ExportLogsServiceRequest {
	return &collogspb.ExportLogsServiceRequest{ResourceLogs: []*logspb.ResourceLogs{{
		Resource: &resourcepb.Resource{Attributes: functionResource("instance-1")},
		ScopeLogs: []*logspb.ScopeLogs{{LogRecords: []*logspb.LogRecord{{
			TimeUnixNano: uint64(time.Now().UnixNano()), Attributes: attributes,
			Body: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: body}},
		}}}},
	}}}
}
