package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/tienda-dev/tienda/local/observe"
	"github.com/tienda-dev/tienda/local/stack"
)

// envEndpoint is OpenTelemetry's variable for the address of a collector.
const envEndpoint = "OTEL_EXPORTER_OTLP_ENDPOINT"

// runObserve serves the API beside a collector and Prometheus, which receive its telemetry:
//
//	local observe             and JAEGER=1 starts Jaeger too
//
// All of them end together.
func runObserve(ctx context.Context, args []string, getenv func(string) string, out io.Writer) error {
	flags := flag.NewFlagSet("local observe", flag.ContinueOnError)
	root := flags.String("root", ".", "the repository's folder")
	if err := flags.Parse(args); err != nil {
		return err
	}
	jaeger, err := choice(getenv, "JAEGER", "1")
	if err != nil {
		return err
	}
	if given := getenv(envEndpoint); given != "" {
		return fmt.Errorf("%s is %s: `make observe` starts a collector of its own; `make run` sends to that one", envEndpoint, given)
	}
	if err := portIsFree(ctx, getenv); err != nil {
		return err
	}
	running, err := observe.Start(ctx, observe.Options{
		Root: *root, Jaeger: jaeger, Note: func(sentence string) { _, _ = fmt.Fprintln(out, sentence) },
	})
	if err != nil {
		return untilStopped(ctx, err)
	}
	defer running.Stop()
	if err := present(out, running); err != nil {
		return err
	}

	serving, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case err := <-running.Failed():
			cancel(err)
		case <-serving.Done():
		}
	}()
	err = run(serving, []string{"serve", "-root", *root}, func(name string) string {
		if name == envEndpoint {
			return running.Endpoint
		}
		return getenv(name)
	}, out)
	if cause := context.Cause(serving); cause != nil && ctx.Err() == nil {
		return cause // a program ended by itself
	}
	return err
}

// portIsFree returns an error if the API cannot listen: better now than when programs were built for minutes.
func portIsFree(ctx context.Context, getenv func(string) string) error {
	port, err := portOf(getenv)
	if err != nil {
		return err
	}
	listeners, err := stack.Listen(ctx, net.JoinHostPort("localhost", strconv.Itoa(port)))
	for _, l := range listeners {
		err = errors.Join(err, l.Close())
	}
	return err
}

// present prints where to look.
func present(out io.Writer, r *observe.Running) error {
	folder := r.Folder
	if here, err := os.Getwd(); err == nil {
		if relative, err := filepath.Rel(here, folder); err == nil {
			folder = relative
		}
	}
	text := "\n"
	add := func(name, where string) { text += fmt.Sprintf("  %-12s %s\n", name, where) }
	if r.PrometheusPages {
		add("Prometheus", r.Prometheus+"/classic/graph")
		add("alerts", r.Prometheus+"/classic/alerts")
	} else {
		add("Prometheus", r.Prometheus+"/api/v1/query?query=up (built from its module, it has no pages)")
		add("alerts", r.Prometheus+"/api/v1/alerts")
	}
	add("OTLP", r.Endpoint)
	add("merged", r.Merged+"/metrics")
	add("traces", filepath.Join(folder, "traces.jsonl"))
	if r.Jaeger != "" {
		add("Jaeger", r.Jaeger+"/search")
	}
	_, err := fmt.Fprintln(out, text)
	return err
}

// runTool puts a tool into .cache and prints its path.
func runTool(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("local tool", flag.ContinueOnError)
	root := flags.String("root", ".", "the repository's folder")
	if err := flags.Parse(args); err != nil {
		return err
	}
	tools := observe.Tools{Root: *root, Note: func(sentence string) { fmt.Fprintln(os.Stderr, sentence) }}
	find, known := map[string]func(context.Context) (string, error){
		"collector": tools.Collector, "prometheus": tools.Prometheus, "jaeger": tools.Jaeger,
	}[flags.Arg(0)]
	if !known {
		return fmt.Errorf("unknown tool %q (want collector, prometheus or jaeger)", flags.Arg(0))
	}
	path, err := find(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, path)
	return err
}
