// Command run measures Tienda's functions beside their peers, prints the table, and writes it with the plots into a folder.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/tienda-dev/tienda/tests/bench/comparison"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, progress io.Writer) error {
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	flags.SetOutput(progress)
	quick := flags.Bool("quick", false, "few rounds: that everything works, and rough numbers")
	gates := flags.Bool("gates", false, "end with an error if a goal is not met")
	only := flags.String("only", "", "the binaries to measure beside bare, and concurrent and growth, separated by commas; empty is all")
	folder := flags.String("out", "tests/bench/results", "the folder of the results")
	root := flags.String("root", ".", "the repository")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unknown argument %q", flags.Arg(0))
	}
	o := comparison.Full(*root, *folder)
	if *quick {
		o = comparison.Quick(*root, *folder)
	}
	if *only != "" {
		o.Only = strings.Split(*only, ",")
	}
	o.Say = func(format string, args ...any) { _, _ = fmt.Fprintf(progress, format+"\n", args...) }
	results, err := comparison.Run(ctx, o)
	if err != nil {
		return err
	}
	if err := write(o.Out, results); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	if _, err := io.WriteString(out, results.Text()); err != nil {
		return err
	}
	if missed := results.Missed(); *gates && len(missed) > 0 {
		return fmt.Errorf("%d goals are not met", len(missed))
	}
	return nil
}

// write writes the results as JSON and Markdown, and the plots.
func write(folder string, results *comparison.Results) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	text, err := json.MarshalIndent(results, "", " ")
	if err != nil {
		return err
	}
	files := results.Plots()
	maps.Copy(files, results.Markdown())
	files["results.json"] = string(text) + "\n"
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(files[name]), 0o644); err != nil {
			return err
		}
	}
	return nil
}
