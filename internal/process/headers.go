package process

import (
	"context"
	"fmt"
	"sync"

	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/secrets"
	"github.com/tienda-dev/tienda/shared/secrets/secretsaws"
	"github.com/tienda-dev/tienda/shared/telemetry"
)

const headersName = "OTEL_EXPORTER_OTLP_HEADERS_SECRET"

type telemetryConfig struct {
	// Headers says where the headers of exports are: an ARN of Secrets Manager or file:/path. Empty: none.
	Headers string `env:"OTEL_EXPORTER_OTLP_HEADERS_SECRET"`
}

// startTelemetry starts telemetry, with the headers of a secret if there is one.
func startTelemetry(ctx context.Context, s *app.Setup, opts ...telemetry.Option) (*telemetry.Telemetry, error) {
	var cfg telemetryConfig
	if err := s.Env(&cfg); err != nil {
		return nil, err
	}
	if cfg.Headers == "" {
		return telemetry.Start(ctx, s, opts...)
	}
	source, err := secrets.ParseSource(headersName, cfg.Headers)
	if err != nil {
		return nil, err
	}
	var aws secretsaws.Config
	if err := s.Env(&aws); err != nil {
		return nil, err
	}
	if aws.HTTP, err = HTTP(ctx); err != nil {
		return nil, err
	}
	client, err := secretsaws.New(aws)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", headersName, err)
	}
	secret, err := secrets.New(source, client, func(text []byte) (string, error) { return string(text), nil }, secrets.Config{})
	if err != nil {
		return nil, err
	}
	return telemetry.Start(ctx, s, append(opts, telemetry.WithHeaders((&headers{secret: secret}).read))...)
}

// headers reads its secret with the first export and not in INIT: a secret that cannot be read must not keep a function
// from its requests.
type headers struct {
	secret *secrets.Secret[string]

	mu     sync.Mutex
	loaded bool
}

func (h *headers) read(ctx context.Context) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.loaded {
		if err := h.secret.Load(ctx); err != nil {
			return "", err
		}
		h.loaded = true
	}
	return h.secret.Get(ctx), nil
}
