package tracing

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel/trace"
)

// header returns the invocation's X-Ray trace header ("Root=1-…;Parent=…;Sampled=1"). aws-lambda-go keeps it in the
// context under this key. The environment variable is not read: it is another invocation's when several run.
func header(ctx context.Context) string {
	h, _ := ctx.Value("x-amzn-trace-id").(string)
	return h
}

// xray returns the span that the X-Ray header names. It is not valid if the header has no Parent, as an HTTP API
// sends it.
func xray(ctx context.Context) trace.SpanContext {
	var cfg trace.SpanContextConfig
	for part := range strings.SplitSeq(header(ctx), ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch key {
		case "Root":
			// 1-<8 hex digits of the time>-<24 hex digits>
			if len(value) == 35 && strings.HasPrefix(value, "1-") && value[10] == '-' {
				cfg.TraceID, _ = trace.TraceIDFromHex(value[2:10] + value[11:])
			}
		case "Parent":
			cfg.SpanID, _ = trace.SpanIDFromHex(value)
		case "Sampled":
			if value == "1" {
				cfg.TraceFlags = trace.FlagsSampled
			}
		}
	}
	cfg.Remote = true
	return trace.NewSpanContext(cfg)
}

// root returns the id of the invocation's X-Ray trace, or "".
func root(ctx context.Context) string {
	for part := range strings.SplitSeq(header(ctx), ";") {
		if id, ok := strings.CutPrefix(strings.TrimSpace(part), "Root="); ok {
			return id
		}
	}
	return ""
}
