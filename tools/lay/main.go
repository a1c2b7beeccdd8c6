// Command lay builds every function into dist/<function>/bootstrap, or checks that folder, or builds a
// command of the repository for this machine. It shows its progress on stderr.
//
//	go run ./tools/lay -arch arm64                 build for Lambda into dist/
//	go run ./tools/lay -check -arch arm64          refuse a dist/ that is missing, stale or for another target
//	go run ./tools/lay -program ./local -out .cache/bin/local
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"

	"github.com/tienda-dev/tienda/tools/dist"
	"github.com/tienda-dev/tienda/tools/progress"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "lay:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("lay", flag.ContinueOnError)
	root := flags.String("root", ".", "the repository's folder")
	out := flags.String("out", "dist", "the output folder")
	arch := flags.String("arch", "arm64", "Lambda architecture: arm64, amd64 or x86_64")
	check := flags.Bool("check", false, "write nothing; fail unless the output folder is up to date")
	program := flags.String("program", "", "the folder of a command to build for this machine into the file -out")
	if err := flags.Parse(args); err != nil {
		return err
	}

	o := dist.Options{Root: *root, Out: *out, GOOS: "linux"}
	shown := progress.New(os.Stderr)
	defer shown.Done()
	if *program != "" {
		o.GOOS, o.GOARCH = runtime.GOOS, runtime.GOARCH
	} else {
		goarch, err := dist.GOARCH(*arch)
		if err != nil {
			return err
		}
		o.GOARCH = goarch
	}

	o.Compiler = shown.Compiler(func() (int, int) { return dist.Sizes(ctx, *root, *program) })
	if *program != "" {
		return dist.Program(ctx, o, *program, *out)
	}
	if *check {
		if err := dist.Check(ctx, o); err != nil {
			return fmt.Errorf("%s differs from a build for %s/%s (run `make build ARCH=%s`):\n%w", *out, o.GOOS, o.GOARCH, *arch, err)
		}
		return nil
	}
	result, err := dist.Build(ctx, o)
	if err != nil {
		return err
	}
	shown.Done()
	return report(stdout, *out, o, result)
}

func report(stdout io.Writer, out string, o dist.Options, r dist.Result) error {
	changes := "nothing changed"
	if len(r.Laid) > 0 {
		changes = "laid " + strings.Join(r.Laid, " ")
	}
	if len(r.Removed) > 0 {
		changes += ", removed " + strings.Join(r.Removed, " ")
	}
	_, err := fmt.Fprintf(stdout, "%s: %d functions for %s/%s, %s\n", out, len(r.Functions), o.GOOS, o.GOARCH, changes)
	return err
}
