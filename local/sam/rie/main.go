// Command rie runs SAM's own runtime interface emulator in the stand-in image and passes its output on,
// with a pause before each REPORT line.
//
// The pause saves a second per request. Before it answers, sam local waits for the REPORT line, but
// recognises it only at the start of a piece of output from Docker, and gives up after a second
// (Container.wait_for_result in samcli/local/docker/container.py). Without the pause, every function
// that logs just before it answers, or that answers within a millisecond, loses that second.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

const (
	// emulator is SAM's aws-lambda-rie.
	emulator = "/var/rapid/rie"
	// pause is long enough for Docker to read the output before it, and short compared with a request.
	pause = 4 * time.Millisecond
)

func main() {
	cmd := exec.Command(emulator, os.Args[1:]...)
	cmd.Stderr = os.Stderr
	code, err := run(cmd, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "rie:", err)
	}
	os.Exit(code)
}

// run runs the command, passes its output and this process's signals on, and returns its exit code.
func run(cmd *exec.Cmd, out io.Writer) (int, error) {
	lines, err := cmd.StdoutPipe()
	if err != nil {
		return 1, err
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if err := cmd.Start(); err != nil {
		return 1, err
	}
	go func() {
		for s := range signals {
			_ = cmd.Process.Signal(s) // it may have ended
		}
	}()

	copied := space(out, lines)
	err = cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), copied
	}
	if err := errors.Join(copied, err); err != nil {
		return 1, err
	}
	return 0, nil
}

// space copies line by line and pauses before a REPORT line.
func space(out io.Writer, in io.Reader) error {
	r := bufio.NewReaderSize(in, 64<<10)
	for {
		line, err := r.ReadSlice('\n') // a longer line comes in parts
		if bytes.HasPrefix(line, []byte("REPORT RequestId:")) {
			time.Sleep(pause)
		}
		if _, err := out.Write(line); err != nil {
			return err
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return err
		}
	}
}
