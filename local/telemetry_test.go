package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestProtocolThatTheGatewayDoesNotSendIsNamed(t *testing.T) {
	t.Parallel()
	err := run(t.Context(), []string{"serve", "-root", t.TempDir()}, environment(map[string]string{
		"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4317",
	}), &bytes.Buffer{})
	if want := `OTEL_EXPORTER_OTLP_PROTOCOL is "grpc", want http/protobuf: `; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}
