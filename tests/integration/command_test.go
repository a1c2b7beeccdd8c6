//go:build integration

package integration_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/local/stack"
	"github.com/tienda-dev/tienda/tests/suite"
)

// process is a run of the command `local`.
type process struct {
	*exec.Cmd
	stdout, stderr suite.Buffer
	ended          chan struct{}
	err            error // of Wait; read it after ended
}

// command starts `local` in the repository's folder with the environment of this process, without
// what configures the command, and with env. It is killed at the end of the test.
func command(t *testing.T, env map[string]string, args ...string) *process {
	t.Helper()
	binary, err := filepath.Abs(filepath.Join(root, ".cache", "bin", "local"))
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: exec.Command(binary, args...), ended: make(chan struct{})}
	p.Dir, p.Stdout, p.Stderr = root, &p.stdout, &p.stderr
	p.Env = []string{}
	own := map[string]string{"PORT": "0", "DATA": "", "DYNAMODB_ENDPOINT": shared.Endpoint, "LOG_LEVEL": ""}
	maps.Copy(own, env)
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); own[name] == "" {
			p.Env = append(p.Env, pair)
		}
	}
	for name, value := range own {
		p.Env = append(p.Env, name+"="+value)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		p.err = p.Wait()
	}()
	t.Cleanup(func() {
		_ = p.Process.Kill()
		<-p.ended
	})
	return p
}

// wait returns the exit code, and fails the test when the process takes longer.
func (p *process) wait(t *testing.T, limit time.Duration) int {
	t.Helper()
	select {
	case <-p.ended:
		return p.ProcessState.ExitCode()
	case <-time.After(limit):
		t.Fatalf("it still runs after %v\n%s\n%s", limit, p.stdout.Bytes(), p.stderr.Bytes())
		return 0
	}
}

var answersOn = regexp.MustCompile(`answers on (http://\S+)`)

// url waits until the API answers.
func (p *process) url(t *testing.T) string {
	t.Helper()
	for range 600 {
		if m := answersOn.FindSubmatch(p.stdout.Bytes()); m != nil {
			return string(m[1])
		}
		select {
		case <-p.ended:
			t.Fatalf("it ended: %v\n%s\n%s", p.err, p.stdout.Bytes(), p.stderr.Bytes())
		case <-time.After(100 * time.Millisecond):
		}
	}
	t.Fatalf("it does not answer\n%s", p.stdout.Bytes())
	return ""
}

// wantNothing fails if a process of p, which has ended, still runs or an address still answers.
func (p *process) wantNothing(t *testing.T, started map[int]string, urls ...string) {
	t.Helper()
	if err := errors.Join(gone(started), closed(urls...)); err != nil {
		t.Error(err)
	}
}

// TestInterruptEndsEverything runs the command as `make run` does, with a DynamoDB of its own that
// keeps its tables in a folder, and ends it as Ctrl-C does. Twice: the second run has the data.
func TestInterruptEndsEverything(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	env := map[string]string{"DATA": data, "DYNAMODB_ENDPOINT": ""}
	var p suite.Product
	for i, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		run := command(t, env)
		url := run.url(t)
		client := suite.NewClient()
		c := suite.New(suite.Target{URL: url, Client: client, Token: tokens(shared)})
		if i == 0 {
			p = c.Create(t, suite.NewProduct())
			if samples := c.List(t, "category", "coffee-beans"); len(samples.Data) == 0 {
				t.Error("there are no sample products")
			}
		} else if diff := cmp.Diff(p, c.Get(t, p.ID)); diff != "" {
			t.Errorf("the product of the first run (-created +kept):\n%s", diff)
		}
		client.CloseIdleConnections()

		started := descendants(run.Process.Pid)
		if len(started) < 3 && runtime.GOOS == "linux" { // DynamoDB, a function, the authorizer
			t.Errorf("saw only %v start", started)
		}
		if err := run.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if code := run.wait(t, 15*time.Second); code != 0 {
			t.Errorf("%v: exit code %d\n%s", signal, code, run.stderr.Bytes())
		}
		if text := run.stderr.Bytes(); len(text) > 0 {
			t.Errorf("%v: it complains: %s", signal, text)
		}
		run.wantNothing(t, started, url)
	}
}

func TestInterruptWhileStarting(t *testing.T) {
	t.Parallel()
	for _, after := range []time.Duration{50 * time.Millisecond, 500 * time.Millisecond, 1500 * time.Millisecond} {
		run := command(t, map[string]string{"DYNAMODB_ENDPOINT": ""})
		time.Sleep(after)
		started := descendants(run.Process.Pid)
		if err := run.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		// A signal that comes before main listens ends the process by itself.
		code := run.wait(t, 15*time.Second)
		status, ok := run.ProcessState.Sys().(syscall.WaitStatus)
		if byItself := ok && status.Signaled() && status.Signal() == syscall.SIGINT; code != 0 && !byItself {
			t.Errorf("after %v: exit code %d", after, code)
		}
		if text := run.stderr.Bytes(); len(text) > 0 {
			t.Errorf("after %v: it complains: %s", after, text)
		}
		maps.Copy(started, descendants(run.Process.Pid))
		run.wantNothing(t, started)
	}
}

func TestKilledCommandLeavesNothing(t *testing.T) {
	t.Parallel()
	run := command(t, nil)
	url := run.url(t)
	client := suite.NewClient()
	t.Cleanup(client.CloseIdleConnections)
	suite.New(suite.Target{URL: url, Client: client}).Do(t, suite.Request{Method: http.MethodGet, Path: "/health/live"})
	started := descendants(run.Process.Pid)
	if err := run.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	run.wait(t, 5*time.Second)
	run.wantNothing(t, started, url)
}

// TestStartErrors holds what a user sees when the API cannot start: one sentence on stderr that
// names the fault, an exit code, and nothing left running.
func TestStartErrors(t *testing.T) {
	t.Parallel()
	var lc net.ListenConfig
	taken, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() })
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	noTools := t.TempDir() // a PATH without Java and Docker

	for name, tc := range map[string]struct {
		env  map[string]string
		args []string
		want []string // parts of the sentence
	}{
		"TakenPort":       {env: map[string]string{"PORT": port}, want: []string{"port " + port + " is taken", "PORT"}},
		"PortThatIsNone":  {env: map[string]string{"PORT": "http"}, want: []string{`PORT is "http"`}},
		"PortTooLarge":    {env: map[string]string{"PORT": "65536"}, want: []string{`PORT is "65536"`}},
		"UnknownCommand":  {args: []string{"deploy"}, want: []string{`"deploy"`}},
		"UnknownLogLevel": {env: map[string]string{"LOG_LEVEL": "loud"}, want: []string{"LogLevel"}},
		"NoFunctions":     {args: []string{"-root", folder(t, nil)}, want: []string{"no function below"}},
		"NoTemplate":      {args: []string{"-root", t.TempDir()}, want: []string{"template.yaml"}},
		"BrokenTemplate": {
			args: []string{"-root", folder(t, map[string]string{"template.yaml": "Resources: [\n"})}, want: []string{"template"},
		},
		"NoDynamoDBThere": {env: map[string]string{"DYNAMODB_ENDPOINT": "http://127.0.0.1:1"}, want: []string{"DynamoDB", "http://127.0.0.1:1"}},
		"NeitherJavaNorDocker": {
			env:  map[string]string{"DYNAMODB_ENDPOINT": "", "PATH": noTools, "JAVA_HOME": ""},
			want: []string{"Java 17", "Docker"},
		},
		"FunctionThatEndsAtInit": {
			args: []string{"-root", withFunctions(t, "package main\n\nimport \"log\"\n\nfunc main() { log.Fatal(\"COMMERCE_TABLE is not set\") }\n")},
			want: []string{"the function ", "COMMERCE_TABLE is not set"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := command(t, tc.env, tc.args...)
			// The functions are built and end at once; what takes longer is other tests on the same machine.
			code := run.wait(t, 30*time.Second)
			if code != 1 {
				t.Errorf("exit code %d, want 1", code)
			}
			text := strings.TrimSuffix(string(run.stderr.Bytes()), "\n")
			if !strings.HasPrefix(text, "local: ") || strings.Contains(text, "\n") || strings.Contains(text, "goroutine") {
				t.Errorf("not one sentence: %q", text)
			}
			for _, part := range tc.want {
				if !strings.Contains(text, part) {
					t.Errorf("%q does not say %q", text, part)
				}
			}
			if out := answersOn.Find(run.stdout.Bytes()); out != nil {
				t.Errorf("it says that it answers: %s", run.stdout.Bytes())
			}
			run.wantNothing(t, descendants(run.Process.Pid))
		})
	}
}

// folder returns a folder that looks like the repository's, with files of its own.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	text, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{"template.yaml": string(text)}
	maps.Copy(all, files)
	for name, content := range all {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(content), 0o700)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// withFunctions returns such a folder where every function has the same main.go.
func withFunctions(t *testing.T, content string) string {
	t.Helper()
	files := map[string]string{"go.mod": "module example.com/shop\n\ngo 1.26\n"}
	for _, f := range shared.Template.Functions {
		files[filepath.Join("functions", "shop", f.Name, "main.go")] = content
	}
	return folder(t, files)
}

// TestStackRefusesToStart checks that stack.Start, which other programs call, fails like the command.
func TestStackRefusesToStart(t *testing.T) { //nolint:paralleltest // it looks at all processes
	before := descendants(os.Getpid())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, change := range map[string]func(*stack.Options){
		"MissingBinaries": func(o *stack.Options) { o.BinDir = t.TempDir() },
		"TakenPort":       func(o *stack.Options) { o.Addr = strings.TrimPrefix(shared.URL, "http://") },
		"NoDynamoDB":      func(o *stack.Options) { o.DynamoDBEndpoint = "http://127.0.0.1:1" },
	} {
		opts := options(io.Discard)
		opts.DynamoDBEndpoint = shared.Endpoint
		change(&opts)
		s, err := stack.Start(context.WithoutCancel(ctx), opts)
		if err == nil {
			s.Stop()
			t.Errorf("%s: it started", name)
		}
	}
	opts := options(io.Discard)
	if s, err := stack.Start(ctx, opts); err == nil {
		s.Stop()
		t.Error("a context that has ended: it started")
	}
	after := descendants(os.Getpid())
	maps.DeleteFunc(after, func(id int, _ string) bool { _, other := before[id]; return other })
	if err := gone(after); err != nil {
		t.Error(err)
	}
}
