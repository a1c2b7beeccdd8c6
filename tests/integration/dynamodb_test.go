//go:build integration

package integration_test

import (
	"os"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// dynamoDB starts `local dynamodb` with a script as its command, and returns when the script has
// written its DynamoDB's URL.
func dynamoDB(t *testing.T, script string) (*process, string) {
	t.Helper()
	run := command(t, map[string]string{"DYNAMODB_ENDPOINT": ""}, "dynamodb", "--", "sh", "-c", "echo $DYNAMODB_ENDPOINT; "+script)
	for range 600 {
		if m := regexp.MustCompile(`(http://\S+)\n`).FindSubmatch(run.stdout.Bytes()); m != nil {
			return run, string(m[1])
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("the command did not run\n%s\n%s", run.stdout.Bytes(), run.stderr.Bytes())
	return nil, ""
}

func TestDynamoDBServesItsCommand(t *testing.T) {
	t.Parallel()
	run, endpoint := dynamoDB(t, "curl -s -o /dev/null -w '%{http_code}' $DYNAMODB_ENDPOINT; exit 7")
	if code := run.wait(t, 30*time.Second); code != 7 {
		t.Errorf("exit code %d, want the command's own\n%s", code, run.stderr.Bytes())
	}
	if out := string(run.stdout.Bytes()); !strings.HasSuffix(out, "\n400") { // an unsigned request
		t.Errorf("no DynamoDB answered: %q", out)
	}
	run.wantNothing(t, nil, endpoint)
}

func TestDynamoDBEndsWithItsRun(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGKILL} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			run, endpoint := dynamoDB(t, "exec sleep 600")
			started := descendants(run.Process.Pid)
			if len(started) < 2 && runtime.GOOS == "linux" { // DynamoDB and the command
				t.Errorf("saw only %v start", started)
			}
			if err := run.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			if code := run.wait(t, 15*time.Second); code == 0 {
				t.Error("exit code 0 for a command that was broken off")
			}
			run.wantNothing(t, started, endpoint)
		})
	}
}

func TestDynamoDBInterruptedWhileStarting(t *testing.T) {
	t.Parallel()
	run := command(t, map[string]string{"DYNAMODB_ENDPOINT": ""}, "dynamodb", "--", "sh", "-c", "echo ran")
	time.Sleep(300 * time.Millisecond)
	started := descendants(run.Process.Pid)
	if err := run.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if code := run.wait(t, 15*time.Second); code == 0 && len(run.stdout.Bytes()) == 0 {
		t.Error("exit code 0 for a command that has not run")
	}
	run.wantNothing(t, started)
}

func TestDynamoDBNeedsACommand(t *testing.T) {
	t.Parallel()
	run := command(t, nil, "dynamodb")
	if code := run.wait(t, 10*time.Second); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	if text := string(run.stderr.Bytes()); text != "local: want a command after --, such as: go test -tags integration\n" {
		t.Errorf("got %q", text)
	}
}
