// Package fleet starts a function's binary as many short-lived Lambda environments: each is a process behind a
// Runtime and Extensions API of its own, is frozen between its invocations, and is killed at the end.
package fleet

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// Config describes a fleet. Binary and Event are required.
type Config struct {
	// Binary is the function's bootstrap.
	Binary string
	// Env are its variables, NAME=value, besides those of Lambda.
	Env []string
	// Instances is how many environments there are, each with Requests invocations.
	Instances, Requests int
	// Alive is how many of them live at the same time. 0 is 20.
	Alive int
	// Frozen is how long an environment is stopped after each invocation. 0 stops it for a moment only. At the end it
	// is killed at a random point of up to twice that time, stopped or not.
	Frozen time.Duration
	// Early kills an environment at its last response, before it asks for the next event.
	Early bool
	// Timeout is how long one invocation may take, from the event until the environment waits for the next. 0
	// is 30 s.
	Timeout time.Duration
	// Event returns an invocation's payload. It is called from many goroutines.
	Event func(instance, request int) []byte
	// Answered is called with each response, from many goroutines. Nil drops them.
	Answered func(instance, request int, payload []byte, latency time.Duration)
}

// Result counts what happened.
type Result struct {
	// Responses and Errors are how the invocations ended.
	Responses, Errors int64
}

// Run runs the fleet until its last environment has ended.
func Run(ctx context.Context, cfg Config) (Result, error) {
	if cfg.Alive <= 0 {
		cfg.Alive = 20
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 30 * time.Second
	}
	var responses, failures atomic.Int64
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(cfg.Alive)
	for i := range cfg.Instances {
		group.Go(func() error {
			err := run(groupCtx, cfg, i, &responses, &failures)
			if err != nil {
				return fmt.Errorf("environment %d: %w", i, err)
			}
			return nil
		})
	}
	err := group.Wait()
	return Result{Responses: responses.Load(), Errors: failures.Load()}, err
}

// run is the life of one environment.
func run(ctx context.Context, cfg Config, number int, responses, failures *atomic.Int64) error {
	a, err := newAPI(ctx)
	if err != nil {
		return err
	}
	defer a.close()
	output := &tail{}
	cmd := exec.Command(cfg.Binary)
	cmd.Env = append([]string{
		"AWS_LAMBDA_RUNTIME_API=" + a.address, "AWS_LAMBDA_FUNCTION_NAME=fleet", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256", fmt.Sprintf("AWS_LAMBDA_LOG_STREAM_NAME=2026/01/01/[$LATEST]%032x", number),
		"AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local", "_HANDLER=bootstrap", "PATH=" + os.Getenv("PATH"),
	}, cfg.Env...)
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(exited)
	}()
	defer func() {
		_ = cmd.Process.Kill()
		<-exited
	}()
	await := func(c <-chan struct{}, what string) error {
		timer := time.NewTimer(cfg.Timeout)
		defer timer.Stop()
		select {
		case <-c:
			return nil
		case <-exited:
			return fmt.Errorf("the process ended before %s:\n%s", what, output)
		case <-timer.C:
			return fmt.Errorf("%s did not come in %s:\n%s", what, cfg.Timeout, output)
		case <-ctx.Done():
			return ctx.Err()
		}
	}

	if err := await(a.idle(), "its first next"); err != nil {
		return err
	}
	for i := range cfg.Requests {
		began := time.Now()
		answered := a.invoke(fmt.Sprintf("%08x-0000-4000-8000-%012x", number, i), cfg.Event(number, i), began.Add(cfg.Timeout))
		if err := await(answered.done, "its response"); err != nil {
			return err
		}
		if answered.failed {
			failures.Add(1)
		} else {
			responses.Add(1)
		}
		if cfg.Answered != nil {
			cfg.Answered(number, i, answered.payload, time.Since(began))
		}
		if cfg.Early && i == cfg.Requests-1 {
			return nil
		}
		if err := await(a.idle(), "its next"); err != nil {
			return err
		}
		if err := freeze(cmd.Process, cfg.Frozen); err != nil {
			return err
		}
	}
	return linger(cmd.Process, cfg.Frozen)
}

// linger waits for a random time, with the process stopped in half of the cases: Lambda kills at any point of a wait.
func linger(p *os.Process, d time.Duration) error {
	if rand.N(2) == 0 {
		if err := p.Signal(syscall.SIGSTOP); err != nil {
			return err
		}
	}
	time.Sleep(rand.N(2*d + 1))
	return nil
}

// freeze stops a process for a time.
func freeze(p *os.Process, d time.Duration) error {
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	time.Sleep(d)
	return p.Signal(syscall.SIGCONT)
}

// tail keeps the end of an output.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	const most = 8 << 10
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if len(t.text) > 2*most {
		t.text = bytes.Clone(t.text[len(t.text)-most:])
	}
	return len(p), nil
}

// String returns the end of what was written.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
