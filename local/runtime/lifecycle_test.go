package runtime_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/local/runtime"
)

func TestTimeoutKillsTheProcess(t *testing.T) {
	t.Parallel()
	fn := function("f", "")
	fn.Timeout = time.Second
	r, _ := one(t, fn)
	before, _ := invoke(t, r, `{}`)

	failed := failure(t, r, `{"do":"sleep","n":60000}`, runtime.Timeout)

	if failed.Error() != "f: timed out after 1s" || failed.RequestID == "" {
		t.Errorf("error %q, request id %q", failed, failed.RequestID)
	}
	wantGone(t, before.PID)
	if _, result := invoke(t, r, `{}`); !result.Cold {
		t.Error("a killed environment served again")
	}
}

func TestExitDuringInvoke(t *testing.T) {
	t.Parallel()
	r, _ := one(t, function("f", ""))
	failed := failure(t, r, `{"do":"exit","n":7}`, runtime.Exit)
	if want := "f: exited before it answered: exit status 7, last line: leaving"; failed.Error() != want {
		t.Errorf("got %q, want %q", failed, want)
	}
	if _, result := invoke(t, r, `{}`); !result.Cold {
		t.Error("a dead environment served again")
	}
}

func TestLastLineIsOfTheInvocationThatEnded(t *testing.T) {
	t.Parallel()
	r, l := one(t, function("f", ""))
	invoke(t, r, `{"do":"print","text":"served the one before\n"}`)
	l.wait(t, "served the one before")
	failed := failure(t, r, `{"do":"kill"}`, runtime.Exit)
	if want := "f: exited before it answered: signal: killed"; failed.Error() != want {
		t.Errorf("got %q, want %q", failed, want)
	}
}

func TestExitWhileIdleIsNoticed(t *testing.T) {
	t.Parallel()
	r, _ := one(t, function("f", ""))
	a, _ := invoke(t, r, `{}`)
	if err := syscall.Kill(a.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	wantGone(t, a.PID)
	time.Sleep(100 * time.Millisecond) // gone, and noticed
	if _, result := invoke(t, r, `{}`); !result.Cold {
		t.Error("a dead environment served again")
	}
}

func TestFailedInitSaysWhy(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ mode, want string }{
		"Exit":     {"exit", "f: exited during INIT: exit status 3, last line: no table configured"},
		"Reported": {"init-error", "f: INIT failed: Runtime.NoHandler: no such handler"},
		"Hang":     {"hang", "f: INIT took longer than 2s, it did not ask for its first event"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, _ := start(t, runtime.Config{
				Functions: []runtime.Function{function("f", test.mode)}, InitTimeout: 2 * time.Second,
			})
			failed := failure(t, r, `{}`, runtime.Init)
			if failed.Error() != test.want {
				t.Errorf("got %q, want %q", failed, test.want)
			}
			if failed.RequestID == "" {
				t.Error("no request id")
			}
			failure(t, r, `{}`, runtime.Init)
		})
	}
}

func TestNotABinaryFailsInit(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bootstrap")
	if err := os.WriteFile(path, []byte("\x7fELF nothing"), 0o700); err != nil {
		t.Fatal(err)
	}
	r, _ := one(t, runtime.Function{Name: "f", Binary: path})
	failed := failure(t, r, `{}`, runtime.Init)
	if !strings.Contains(failed.Error(), "its binary does not start") {
		t.Errorf("got %q", failed)
	}
}

func TestPayloadLimits(t *testing.T) {
	t.Parallel()
	r, _ := one(t, function("f", ""))
	event := func(size int) string {
		const empty = `{"do":"length","text":""}`
		return strings.TrimSuffix(empty, `"}`) + strings.Repeat("x", size-len(empty)) + `"}`
	}
	big := func(size int) string { return `{"do":"big","n":` + strconv.Itoa(size) + `}` }

	if a, _ := invoke(t, r, event(runtime.MaxRequestBytes)); a.Text != "6291431" {
		t.Errorf("%s characters of the largest event arrived", a.Text)
	}
	failure(t, r, event(runtime.MaxRequestBytes+1), runtime.RequestTooLarge)

	result, err := r.Invoke(t.Context(), "f", []byte(big(runtime.MaxResponseBytes)))
	if err != nil || len(result.Payload) != runtime.MaxResponseBytes {
		t.Errorf("the largest answer: %v, %d bytes", err, len(result.Payload))
	}
	failure(t, r, big(runtime.MaxResponseBytes+1), runtime.ResponseTooLarge)
	failure(t, r, big(20<<20), runtime.ResponseTooLarge)
	invoke(t, r, `{}`)
}

func TestOutputArrivesLineByLine(t *testing.T) {
	t.Parallel()
	r, l := one(t, function("f", ""))
	invoke(t, r, `{"do":"print","text":"one\r\ntwo\n\nthree"}`)
	invoke(t, r, `{"do":"print","text":" and more\nbad \u0000\n"}`)
	invoke(t, r, `{"do":"long","n":600000}`)
	invoke(t, r, `{"do":"print","text":"unfinished"}`)
	r.Close()

	y := strings.Repeat("y", 256<<10)
	want := []string{
		"f: one", "f: two", "f: ", "f: three", "f:  and more", "f: bad \x00",
		"f: " + y, "f: " + y, "f: " + y[:600000-2*len(y)], "f: unfinished",
	}
	if diff := cmp.Diff(want, l.all()); diff != "" {
		t.Errorf("lines (-want +got):\n%.2000s", diff)
	}
}

func TestCloseKillsAtOnceWithoutExtensions(t *testing.T) {
	t.Parallel()
	r, l := one(t, function("f", "listen")) // for a SIGTERM that must not come
	a, _ := invoke(t, r, `{"do":"child"}`)
	r.Close()
	wantGone(t, a.PID)
	wantGone(t, a.Child)
	if lines := l.all(); len(lines) != 0 {
		t.Errorf("lines %q", lines)
	}
	failure(t, r, `{}`, runtime.Closed)
	r.Close()
}

func TestCloseSendsSigtermToARegisteredFunction(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string][]string{"sigterm": {"f: got SIGTERM"}, "stubborn": nil} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			r, l := one(t, function("f", mode))
			a, _ := invoke(t, r, `{}`)
			r.Close() // kills the stubborn one, which would sleep for an hour
			wantGone(t, a.PID)
			if diff := cmp.Diff(want, l.all()); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCloseCutsOffEventsInFlight(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]string{"Invoke": "", "Init": "hang"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, _ := one(t, function("f", mode))
			var group sync.WaitGroup
			for range 3 {
				group.Go(func() {
					_, err := r.Invoke(t.Context(), "f", []byte(`{"do":"sleep","n":60000}`))
					if !errors.Is(err, runtime.Closed) {
						t.Errorf("got error %v", err)
					}
				})
			}
			time.Sleep(500 * time.Millisecond)
			r.Close()
			group.Wait()
		})
	}
}

func TestEnvironmentWaitsForItsInvokeExtension(t *testing.T) {
	t.Parallel()
	fn := function("f", "internal-extension")
	fn.ReservedConcurrency = new(1)
	fn.Env["RELEASE"] = filepath.Join(t.TempDir(), "release")
	r, l := one(t, fn)
	first, _ := invoke(t, r, `{}`)
	l.wait(t, "extension: INVOKE "+first.RequestID)

	failure(t, r, `{}`, runtime.Throttled) // the only environment is not free
	if err := os.WriteFile(fn.Env["RELEASE"], nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if second := whenFree(t, r); second.PID != first.PID || second.Count != 2 {
		t.Errorf("got %+v from another environment", second)
	}
}

func TestInternalExtensionMayNotRegisterForShutdown(t *testing.T) {
	t.Parallel()
	r, l := one(t, function("f", "internal-shutdown"))
	invoke(t, r, `{}`)
	l.wait(t, "register for SHUTDOWN: 403")
}

func TestNoOrphanWhenTheParentIsKilled(t *testing.T) {
	t.Parallel()
	pid, kill := startParent(t, false)
	kill()
	wantGone(t, pid)
}

// whenFree invokes f, whose reserved concurrency is one, when its environment is free.
func whenFree(t *testing.T, r *runtime.Runtime) answer {
	t.Helper()
	for range 1000 {
		result, err := r.Invoke(t.Context(), "f", []byte(`{}`))
		if err == nil {
			var a answer
			if err := json.Unmarshal(result.Payload, &a); err != nil {
				t.Fatal(err)
			}
			return a
		}
		if !errors.Is(err, runtime.Throttled) {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the environment was never free")
	return answer{}
}

// startParent runs parent in a separate process until its function is busy or idle. It returns the
// function's process id and a function that kills the parent.
func startParent(t *testing.T, busy bool) (pid int, kill func()) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), "RUNTIME_TEST_PARENT="+binaries)
	if busy {
		cmd.Env = append(cmd.Env, "RUNTIME_TEST_BUSY=1")
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(stdout)
	line, err := reader.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var a answer
	if err := json.Unmarshal([]byte(line), &a); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	if busy {
		if line, err := reader.ReadString('\n'); line != "busy\n" {
			t.Fatalf("%q: %v", line, err)
		}
	}
	return a.PID, func() {
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait() // it was killed
	}
}

// wantGone waits until no process has the id.
func wantGone(t *testing.T, pid int) {
	t.Helper()
	for range 500 {
		if pid == 0 || errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			return
		}
		if stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat"); err == nil &&
			strings.Contains(string(stat), ") Z ") {
			return // dead, and only its new parent has not looked yet
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("process %d still runs", pid)
}
