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

// exitError is the exit code of a command that has said on its own what is wrong.
type exitError int

// Error is for a caller that is not main.
func (e exitError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// runDynamoDB runs a command beside a DynamoDB that is started for it:
//
//	local dynamodb -- go test ./...
//
// The command finds the DynamoDB by DYNAMODB_ENDPOINT; if that is set already, nothing is started.
// The DynamoDB ends with the command, and the command's exit code is this process's own.
func runDynamoDB(ctx context.Context, args []string, getenv func(string) string, out io.Writer) error {
	flags := flag.NewFlagSet("local dynamodb", flag.ContinueOnError)
	root := flags.String("root", ".", "the repository's folder")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() == 0 {
		return errors.New("name a command to run behind --, such as: go test -tags integration")
	}
	cmd := exec.Command(flags.Arg(0), flags.Args()[1:]...)
	cmd.Stdout, cmd.Stderr = out, os.Stderr

	code, err := localddb.Run(ctx, localddb.Config{
		CacheDir: filepath.Join(*root, ".cache"),
		Endpoint: getenv(localddb.EnvEndpoint),
		// What the command prints may be read by a program.
		Note: func(sentence string) { fmt.Fprintln(os.Stderr, sentence) },
	}, cmd)
	switch {
	case err != nil && ctx.Err() != nil:
		return exitError(128 + int(syscall.SIGINT)) // the command has not run: that is no success
	case err != nil:
		return err
	case code != 0:
		return exitError(code)
	default:
		return nil
	}
}
