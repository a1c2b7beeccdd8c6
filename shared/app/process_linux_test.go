package app_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tienda-dev/tienda/shared/app"
)

func TestMain(m *testing.M) {
	if os.Getenv("APP_TEST_FUNCTION") != "" {
		function()
		return
	}
	os.Exit(m.Run())
}

// function is what TestTheLineFollowsTheResponse runs in a process of its own. It does not return.
func function() {
	app.Func(func(_ context.Context, s *app.Setup) (func(context.Context, string) (string, error), error) {
		s.OnShutdown(func() {})
		s.SetExtended() // so that none is registered for SIGTERM
		return func(_ context.Context, event string) (string, error) {
			if event == "fail" {
				return "", errors.New("failed")
			}
			return "answer to " + event, nil
		}, nil
	})
}

// exchange is one request of a process to the Runtime API, in how many TCP segments it came, and what the process had
// written to stdout before the answer.
type exchange struct {
	request, output string
	segments        uint32
}

// segments returns how many segments with data have come.
func segments(conn net.Conn) (n uint32) {
	raw, err := conn.(*net.TCPConn).SyscallConn() //nolint:forcetypeassert // it is one
	if err != nil {
		return 0
	}
	_ = raw.Control(func(fd uintptr) {
		if info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			n = info.Data_segs_in
		}
	})
	return n
}

// runtimeAPI serves a process with events, and returns its requests.
func runtimeAPI(t *testing.T, stdout string, l net.Listener, events []string) <-chan exchange {
	t.Helper()
	seen := make(chan exchange, 16)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		var request []byte
		for buffer := make([]byte, 1<<16); ; {
			n, err := conn.Read(buffer)
			if err != nil {
				return
			}
			request = append(request, buffer[:n]...)
			isAnswer := bytes.HasPrefix(request, []byte("POST "))
			if !bytes.HasSuffix(request, []byte("\r\n\r\n")) || isAnswer && !bytes.HasSuffix(request, []byte("\r\n0\r\n\r\n")) {
				continue
			}
			time.Sleep(20 * time.Millisecond) // a line that does not wait would be there
			output, _ := os.ReadFile(stdout)
			seen <- exchange{string(request), string(output), segments(conn)}
			request = nil
			switch {
			case isAnswer:
				_, _ = fmt.Fprint(conn, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
			case len(events) > 0:
				_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: id-%s\r\nLambda-Runtime-Deadline-Ms: %d\r\nContent-Length: %d\r\n\r\n%q",
					events[0], time.Now().Add(time.Minute).UnixMilli(), len(events[0])+2, events[0])
				events = events[1:]
			}
		}
	}()
	return seen
}

// An invocation's line is written when its response has been sent, before the next event is asked for: the client does
// not wait for it, and it is there when Lambda freezes the process. A failure's is written at once. Each answer is one
// write.
func TestTheLineFollowsTheResponse(t *testing.T) {
	t.Parallel()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	stdout, err := os.Create(filepath.Join(t.TempDir(), "stdout"))
	if err != nil {
		t.Fatal(err)
	}
	defer stdout.Close()
	events := []string{"one", "fail"}
	for range 10 {
		events = append(events, "more")
	}
	seen := runtimeAPI(t, stdout.Name(), l, events)

	process := exec.CommandContext(t.Context(), os.Args[0])
	process.Env = append(os.Environ(), "APP_TEST_FUNCTION=1", "AWS_LAMBDA_RUNTIME_API="+l.Addr().String(),
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512", "GOMAXPROCS=1")
	process.Stdout = stdout
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = process.Process.Kill()
		_ = process.Wait()
	}()

	const next = "GET /2018-06-01/runtime/invocation/next "
	for i, want := range []struct {
		begins string // the request
		line   string // what is on stdout
		there  bool
	}{
		{begins: next},
		{"POST /2018-06-01/runtime/invocation/id-one/response ", `"function_request_id":"id-one"`, false},
		{next, `"function_request_id":"id-one"`, true},
		{"POST /2018-06-01/runtime/invocation/id-fail/error ", `"function_request_id":"id-fail"`, true},
	} {
		select {
		case got := <-seen:
			if !strings.HasPrefix(got.request, want.begins) || want.line != "" && strings.Contains(got.output, want.line) != want.there {
				t.Fatalf("exchange %d: %q with the output %q, want %q and %t for %q", i, got.request, got.output, want.begins, want.there, want.line)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("exchange %d: nothing came, want %q", i, want.begins)
		}
	}

	// Each answer in three writes would be 20 more. A part may leave before, if the thread loses its processor.
	requests, last := 4, exchange{}
	for ; requests < 2*len(events); requests++ {
		select {
		case last = <-seen:
		case <-time.After(20 * time.Second):
			t.Fatalf("only %d requests came", requests)
		}
	}
	if more := int(last.segments) - requests; more > 8 {
		t.Errorf("%d requests came in %d segments", requests, last.segments)
	}
}
