package child_test

import (
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/local/child"
)

func TestStopKillsAProgramThatIgnoresSIGTERM(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("sh", "-c", `trap "" TERM; echo ready; while :; do sleep 0.1; done`)
	ready, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p, err := child.Start(cmd, syscall.SIGKILL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ready.Read(make([]byte, 8)); err != nil {
		t.Fatal(err)
	}
	p.Stop(50 * time.Millisecond)
	p.Stop(time.Hour) // does nothing
	if p.Err() == nil {
		t.Error("it ended by itself")
	}
}

func TestStartReturnsTheError(t *testing.T) {
	t.Parallel()
	if _, err := child.Start(exec.Command("/nowhere"), syscall.SIGKILL); err == nil {
		t.Error("got no error")
	}
}

func TestLastLine(t *testing.T) {
	t.Parallel()
	for output, want := range map[string]string{"": "", "one": "one", "one\ntwo \n\n": "two"} {
		if got := child.LastLine(output); got != want {
			t.Errorf("%q: got %q, want %q", output, got, want)
		}
	}
}

func TestWaitSeesAnEndedProgram(t *testing.T) {
	t.Parallel()
	p, err := child.Start(exec.Command("true"), syscall.SIGKILL)
	if err != nil {
		t.Fatal(err)
	}
	<-p.Ended()
	for range 100 {
		if !p.Wait(0) {
			t.Fatal("Wait(0) does not see that the program has ended")
		}
	}
}
