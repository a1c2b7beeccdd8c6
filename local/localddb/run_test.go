package localddb_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/local/localddb"
)

// running is a configuration with a DynamoDB that answers and nothing more.
func running(t *testing.T) localddb.Config {
	t.Helper()
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	return localddb.Config{CacheDir: t.TempDir(), Endpoint: server.URL}
}

func TestRun(t *testing.T) {
	t.Parallel()

	t.Run("TellsTheCommandWhereTheDynamoDBIs", func(t *testing.T) {
		t.Parallel()
		cfg := running(t)
		var out strings.Builder
		cmd := exec.Command("sh", "-c", "printf %s $DYNAMODB_ENDPOINT")
		cmd.Stdout = &out
		code, err := localddb.Run(t.Context(), cfg, cmd)
		if code != 0 || err != nil || out.String() != cfg.Endpoint {
			t.Errorf("got %d, %v and %q, want the endpoint %q", code, err, out.String(), cfg.Endpoint)
		}
	})

	for script, want := range map[string]int{"exit 0": 0, "exit 7": 7, "kill -9 $$": 137} {
		t.Run("PassesOn/"+script, func(t *testing.T) {
			t.Parallel()
			if code, err := localddb.Run(t.Context(), running(t), exec.Command("sh", "-c", script)); code != want || err != nil {
				t.Errorf("got %d, %v; want %d", code, err, want)
			}
		})
	}

	t.Run("CommandThatIsNotThere", func(t *testing.T) {
		t.Parallel()
		if code, err := localddb.Run(t.Context(), running(t), exec.Command("/nowhere/command")); err == nil {
			t.Errorf("got %d and no error", code)
		}
	})

	t.Run("NoDynamoDB", func(t *testing.T) {
		t.Parallel()
		cfg := localddb.Config{CacheDir: t.TempDir(), Endpoint: "http://127.0.0.1:1"}
		if code, err := localddb.Run(t.Context(), cfg, exec.Command("sh", "-c", "exit 7")); code != 0 || err == nil {
			t.Errorf("got %d, %v; want an error and no run", code, err)
		}
	})
}

// TestRunEndsTheWholeGroup interrupts a command that has started another one, which does not listen.
func TestRunEndsTheWholeGroup(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cmd := exec.Command("sh", "-c", "trap '' INT; sleep 600 & trap 'exit 3' INT; echo $!; wait")
	// A file, like a terminal: Run waits for the command, not for other processes with its output open.
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close() })
	t.Cleanup(func() { writer.Close() })
	cmd.Stdout = writer
	type result struct {
		code int
		err  error
	}
	ended := make(chan result, 1)
	cfg := running(t)
	go func() {
		code, err := localddb.Run(ctx, cfg, cmd)
		ended <- result{code, err}
	}()

	var id int
	if _, err := fmt.Fscan(reader, &id); err != nil {
		t.Fatal(err)
	}
	cancel()
	if got := <-ended; got.code != 3 || got.err != nil {
		t.Errorf("got %d, %v; want the command's own 3", got.code, got.err)
	}
	for range 20 {
		if syscall.Kill(id, 0) != nil || zombie(id) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("process %d outlives the command", id)
}

// zombie reports whether the process has ended and was not reaped, on systems with /proc.
func zombie(id int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", id))
	if err != nil {
		return false
	}
	_, fields, _ := strings.Cut(string(stat), ") ") // behind the command's name in parentheses
	return strings.HasPrefix(fields, "Z")
}
