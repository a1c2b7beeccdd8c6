package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/tienda-dev/tienda/local/child"
)

// Subject is a function to measure.
type Subject struct {
	// Name is how reports call it.
	Name string
	// Binary is the path of its bootstrap.
	Binary string
	// Env are its variables, NAME=value, besides those that Lambda sets.
	Env []string
	// Events are the payloads, which take turns.
	Events [][]byte
	// Check returns an error for a response that is not the expected one. It is called with each response while the function
	// waits, so it must be quick. Nil accepts all.
	Check func(response []byte) error
	// MemoryMB is the function's memory size, in MB. 0 is 512.
	MemoryMB int
	// Concurrency is how many events the process takes at the same time, as on Lambda Managed Instances. 0 is one, as
	// everywhere else.
	Concurrency int
}

// Environment is one running process of a Subject, as Lambda's execution environment is.
type Environment struct {
	subject Subject
	api     *runtimeAPI
	process *child.Process
	output  string // the file that takes stdout and stderr
	began   time.Time
	init    time.Duration
}

// readyLimit is how long INIT may take; Lambda's own limit is 10 s.
const readyLimit = 10 * time.Second

// Start starts the subject and waits until it asks for its first event. Its output goes to a file in folder: to read a
// pipe would take processor time in this process. The error says how the process failed, with the end of its output.
func Start(ctx context.Context, s Subject, folder string) (*Environment, error) {
	return start(ctx, s, folder, readyLimit)
}

func start(ctx context.Context, s Subject, folder string, limit time.Duration) (*Environment, error) {
	a, err := newRuntimeAPI(ctx, max(1, s.Concurrency))
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	e := &Environment{subject: s, api: a, output: filepath.Join(folder, "output")}
	file, err := os.OpenFile(e.output, os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		a.close()
		return nil, err
	}
	defer file.Close()
	cmd := exec.Command(s.Binary)
	cmd.Dir, cmd.Stdout, cmd.Stderr = folder, file, file
	cmd.Env = append(e.lambdaEnv(), s.Env...)
	e.began = time.Now()
	if e.process, err = child.Start(cmd, syscall.SIGKILL); err != nil {
		a.close()
		return nil, fmt.Errorf("start %s: %w", s.Name, err)
	}
	if err := e.await(ctx, a.ready, limit, "its first request for an event"); err != nil {
		e.Stop()
		return nil, fmt.Errorf("start %s: %w", s.Name, err)
	}
	e.init = time.Since(e.began)
	return e, nil
}

// lambdaEnv are the variables that Lambda sets, as its developer guide lists them.
func (e *Environment) lambdaEnv() []string {
	memory := e.subject.MemoryMB
	if memory == 0 {
		memory = 512
	}
	env := []string{
		"AWS_LAMBDA_RUNTIME_API=" + e.api.address(), "AWS_LAMBDA_FUNCTION_NAME=" + e.subject.Name, "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + strconv.Itoa(memory), "AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/bench",
		"AWS_LAMBDA_LOG_STREAM_NAME=2026/01/01/[$LATEST]00000000000000000000000000000001", "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_REGION=eu-central-1", "AWS_DEFAULT_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local",
		"AWS_SESSION_TOKEN=local", "_HANDLER=bootstrap", "LAMBDA_TASK_ROOT=/var/task", "TZ=:UTC", "PATH=/usr/local/bin:/usr/bin:/bin",
	}
	if e.subject.Concurrency > 1 {
		env = append(env, "AWS_LAMBDA_MAX_CONCURRENCY="+strconv.Itoa(e.subject.Concurrency))
	}
	return env
}

// Init is the time from the start of the process until it asked for its first event.
func (e *Environment) Init() time.Duration { return e.init }

// PID is the id of the process.
func (e *Environment) PID() int { return e.process.ID() }

// Invoke sends so many events, one after the other or as many at the same time as the process takes, and returns when the environment waits for the next one. The error is
// that of the first invocation that failed, or whose response Check refuses.
func (e *Environment) Invoke(ctx context.Context, count int) ([]Invocation, error) {
	b := e.api.invoke(e.subject.Events, count, e.subject.Check)
	limit := time.Duration(count)*timeout/100 + timeout
	if err := e.await(ctx, b.ended, limit, fmt.Sprintf("the end of %d invocations", count)); err != nil {
		return nil, fmt.Errorf("invoke %s: %w", e.subject.Name, err)
	}
	if b.err != nil {
		return nil, fmt.Errorf("invoke %s: %w%s", e.subject.Name, b.err, e.tail())
	}
	return b.done, nil
}

// await waits for c, or for what prevents it.
func (e *Environment) await(ctx context.Context, c <-chan struct{}, limit time.Duration, what string) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-c:
		return nil
	case <-e.api.failed:
		return fmt.Errorf("%w%s", e.api.failure, e.tail())
	case <-e.process.Ended():
		// A runtime reports an error of INIT and ends: its report says more than its exit code.
		select {
		case <-e.api.failed:
			return fmt.Errorf("%w%s", e.api.failure, e.tail())
		case <-time.After(50 * time.Millisecond):
		}
		how := "exit status 0"
		if err := e.process.Err(); err != nil {
			how = err.Error()
		}
		return fmt.Errorf("the process ended before %s: %s%s", what, how, e.tail())
	case <-timer.C:
		return fmt.Errorf("%s did not come in %s%s", what, limit, e.tail())
	case <-ctx.Done():
		return ctx.Err()
	}
}

// tail returns the end of the output, for an error.
func (e *Environment) tail() string {
	const most = 2000
	text, err := os.ReadFile(e.output)
	if err != nil || len(text) == 0 {
		return ""
	}
	return "\n" + strings.TrimSpace(string(text[max(0, len(text)-most):]))
}

// Output returns what the process has written to stdout and stderr so far.
func (e *Environment) Output() ([]byte, error) { return os.ReadFile(e.output) }

// Stop ends the process and its Runtime API.
func (e *Environment) Stop() {
	e.process.SignalGroup(syscall.SIGKILL)
	<-e.process.Ended()
	e.api.close()
}

// ErrNotMeasured is the error of what this machine does not let the harness measure: files of /proc that are missing, or
// rights of root.
var ErrNotMeasured = errors.New("not measured")

func notMeasured(what string, err error) error {
	return fmt.Errorf("%w: %s: %w", ErrNotMeasured, what, err)
}
