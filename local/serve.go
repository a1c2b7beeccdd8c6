package main

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tienda-dev/tienda/local/builder"
	"github.com/tienda-dev/tienda/local/docs"
	"github.com/tienda-dev/tienda/local/seed"
	"github.com/tienda-dev/tienda/local/stack"
	"github.com/tienda-dev/tienda/local/template"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/tools/progress"
)

// choice reports whether the variable has the one value that it may have. Empty is false.
func choice(getenv func(string) string, name, value string) (bool, error) {
	switch given := getenv(name); given {
	case "", value:
		return given == value, nil
	default:
		return false, fmt.Errorf("%s is %q, want %s or nothing", name, given, value)
	}
}

// telemetry reads where the functions' telemetry is sent, from OpenTelemetry's variables.
func telemetry(getenv func(string) string) (stack.Telemetry, error) {
	const protocol = "OTEL_EXPORTER_OTLP_PROTOCOL"
	if given := getenv(protocol); given != "" && given != "http/protobuf" && given != "http/json" {
		return stack.Telemetry{}, fmt.Errorf("%s is %q, want http/protobuf: a collector takes it on port 4318", protocol, given)
	}
	return stack.Telemetry{
		Endpoint: getenv("OTEL_EXPORTER_OTLP_ENDPOINT"), Headers: getenv("OTEL_EXPORTER_OTLP_HEADERS"),
	}, nil
}

// serve builds the API and runs it until ctx ends. Its port is its own from the start, but answers only when
// the sample products are in. What they do not need is built after that.
func serve(ctx context.Context, opts stack.Options, out *progress.Printer) error {
	began := time.Now()
	var err error
	if opts.Listeners, err = stack.Listen(ctx, opts.Addr); err != nil {
		return err
	}
	built, err := builder.Open(opts.Root, out)
	if err != nil {
		return err
	}
	defer func() { _ = built.Close() }() // the next run cleans what stays
	var loaded seed.Result
	opts.Builder, opts.First = built, seed.Routes()
	opts.Out = out
	opts.Pages = func(api http.Handler) http.Handler {
		return docs.Handler(filepath.Join(opts.Root, ".cache", "docs"), api)
	}
	opts.Note = func(sentence string) { _, _ = fmt.Fprintln(out, sentence) }
	opts.Prepare = func(ctx context.Context, s *stack.Stack, url string) error {
		minted, err := s.Token(seeder, seed.Roles()...)
		if err != nil {
			return err
		}
		defer out.Done()
		loaded, err = seed.Load(ctx, seed.Config{URL: url, Token: minted, Loaded: func(done, total int) {
			out.Count("loading sample products", done, total, "")
		}})
		return err
	}
	s, err := stack.Start(ctx, opts)
	if err != nil {
		return err
	}
	defer s.Stop()
	withdraw, err := announce(opts.Root, portIn(s.URL), serving{dynamoDB: s.Endpoint, queues: s.SQS})
	if err != nil {
		return err
	}
	defer withdraw()

	kept := "in memory"
	if opts.Data != "" {
		kept = "in " + opts.Data
	}
	url := strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
	_, err = fmt.Fprintf(out, "%s\nTienda answers on %s after %.1f s, with %d sample products %s. Ctrl-C stops it.\n\n"+
		"  curl %s/v1/products\n  make token ROLE=catalog\n\n",
		routes(s.Template), url, time.Since(began).Seconds(), loaded.Created+loaded.Existing, kept, url)
	if err != nil {
		return err
	}
	if opts.Parameters[stack.RateLimitsOff] == ratelimit.All {
		opts.Note("LIMITS=off: the functions limit no requests.")
	}

	select {
	case <-ctx.Done():
		return nil
	case err := <-s.Failed():
		return err
	}
}

// routes returns a line for each path: "  /v1/products  GET POST".
func routes(t *template.Template) string {
	methods := map[string][]string{}
	width := 0
	for _, f := range t.Functions {
		for _, r := range f.Routes {
			if r.Path == "" {
				continue
			}
			methods[r.Path] = append(methods[r.Path], r.Method)
			width = max(width, len(r.Path))
		}
	}
	paths := make([]string, 0, len(methods))
	for path := range methods {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	var b strings.Builder
	for _, path := range paths {
		slices.Sort(methods[path])
		fmt.Fprintf(&b, "  %-*s  %s\n", width, path, strings.Join(methods[path], " "))
	}
	return b.String()
}
