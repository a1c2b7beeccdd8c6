package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/tienda-dev/tienda/local/localddb"
)

// exitError is the exit code of a command that has reported its error itself.
type exitError int

// Error is for a caller that is not main.
func (e exitError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// runDynamoDB starts a DynamoDB and runs a command that uses it:
//
//	local dynamodb -- go test ./...
//
// DYNAMODB_ENDPOINT has its URL for the command; if that is set already, nothing is started. The DynamoDB
// ends with the command, and this process exits with the command's exit code.
func runDynamoDB(ctx context.Context, args []string, getenv func(string) string, out io.Writer) error {
	flags := flag.NewFlagSet("local dynamodb", flag.ContinueOnError)
	root := flags.String("root", ".", "the repository's folder")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() == 0 {
		return errors.New("want a command after --, such as: go test -tags integration")
	}
	cmd := exec.Command(flags.Arg(0), flags.Args()[1:]...)
	cmd.Stdout, cmd.Stderr = out, os.Stderr

	code, err := localddb.Run(ctx, localddb.Config{
		CacheDir: filepath.Join(*root, ".cache"),
		Endpoint: getenv(localddb.EnvEndpoint),
		// A program may read the command's output.
		Note: func(sentence string) { fmt.Fprintln(os.Stderr, sentence) },
	}, cmd)
	switch {
	case err != nil && ctx.Err() != nil:
		return exitError(128 + int(syscall.SIGINT)) // the command has not run
	case err != nil:
		return err
	case code != 0:
		return exitError(code)
	default:
		return nil
	}
}
