package stack_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/local/stack"
)

func TestLocalhostIsBothLoopbackAddresses(t *testing.T) {
	t.Parallel()
	opts := options(t, templateText)
	opts.Addr = "localhost:0"
	s, err := stack.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	hosts := []string{"127.0.0.1"}
	if l, err := net.Listen("tcp", "[::1]:0"); err == nil {
		_ = l.Close()
		hosts = append(hosts, "::1")
	}
	for _, host := range hosts {
		if status, _ := get(t, "http://"+net.JoinHostPort(host, port)+"/open", ""); status != http.StatusOK {
			t.Errorf("%s: got %d", host, status)
		}
	}
	s.Stop()
	for _, host := range hosts {
		if _, err := net.Dial("tcp", net.JoinHostPort(host, port)); err == nil {
			t.Errorf("%s still listens", host)
		}
	}
}

func TestPortThatIsTakenOnIPv6IsNamed(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "[::1]:0")
	if err != nil { // a machine without IPv6 serves on IPv4 alone
		listeners, err := stack.Listen(t.Context(), "localhost:0")
		if err != nil || len(listeners) != 1 {
			t.Fatalf("got %v and %v, want one listener", listeners, err)
		}
		_ = listeners[0].Close()
		return
	}
	t.Cleanup(func() { _ = taken.Close() })
	_, port, err := net.SplitHostPort(taken.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	listeners, err := stack.Listen(t.Context(), "localhost:"+port)
	if want := "port " + port + " is taken: "; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v and %v, want %q", listeners, err, want)
	}
}

// TestPortIsNamedBeforeAnythingElse has a folder without a template and without binaries.
func TestPortIsNamedBeforeAnythingElse(t *testing.T) {
	t.Parallel()
	taken, err := stack.Listen(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken[0].Close() })
	addr := taken[0].Addr().String()
	refused(t, stack.Options{Root: t.TempDir(), Addr: addr}, "port "+addr[strings.LastIndex(addr, ":")+1:]+" is taken: ")
}

func TestAPIAnswersWhenItIsPrepared(t *testing.T) {
	t.Parallel()
	opts := options(t, templateText)
	out := &lines{}
	opts.Out = out
	var err error
	if opts.Listeners, err = stack.Listen(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	public := "http://" + opts.Listeners[0].Addr().String()
	early := make(chan int, 1)
	opts.Prepare = func(_ context.Context, _ *stack.Stack, url string) error {
		go func() {
			status, _ := get(t, public+"/open", "")
			early <- status
		}()
		for range 3 {
			if status, _ := get(t, url+"/open", ""); status != http.StatusOK {
				t.Errorf("during the preparation: got %d", status)
			}
		}
		select {
		case status := <-early:
			t.Errorf("the API answered %d before it was prepared", status)
		default:
		}
		return nil
	}
	s, err := stack.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	if status := <-early; status != http.StatusOK {
		t.Errorf("the request that waited: got %d", status)
	}
	s.Stop()
	if n := strings.Count(out.String(), " 200 GET /open "); n != 1 || s.URL != public {
		t.Errorf("%d requests are printed, want 1; the address is %s\n%s", n, s.URL, out)
	}
}

// TestPreparationMayLeaveAConnectionOpen opens one and sends nothing, as an http.Client does that needs no
// second one after all.
func TestPreparationMayLeaveAConnectionOpen(t *testing.T) {
	t.Parallel()
	opts := options(t, templateText)
	opts.Prepare = func(_ context.Context, _ *stack.Stack, url string) error {
		unused, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err == nil {
			t.Cleanup(func() { _ = unused.Close() })
		}
		return err
	}
	s, err := stack.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	if status, body := get(t, s.URL+"/open", ""); status != http.StatusOK {
		t.Errorf("got %d %s", status, body)
	}
}

func TestFailedPreparationIsShown(t *testing.T) {
	t.Parallel()
	opts := options(t, templateText)
	out := &lines{}
	opts.Out = out
	reason := errors.New("the sample data is broken")
	opts.Prepare = func(_ context.Context, _ *stack.Stack, url string) error {
		get(t, url+"/nowhere", "")
		return reason
	}
	if s, err := stack.Start(t.Context(), opts); !errors.Is(err, reason) {
		t.Errorf("got %v and %v", s, err)
	}
	if !strings.Contains(out.String(), " 404 GET /nowhere (no route) ") {
		t.Errorf("got the output %q, want the requests", out)
	}
}

func TestThrottlesOfRoutesAndNone(t *testing.T) {
	t.Parallel()
	text := strings.Replace(templateText, "      Auth:\n        Authorizers:", "      DefaultRouteSettings: {ThrottlingRateLimit: 1000, ThrottlingBurstLimit: 1000}\n"+
		"      RouteSettings:\n        GET /open: {ThrottlingRateLimit: 0.001, ThrottlingBurstLimit: 1}\n      Auth:\n        Authorizers:", 1)
	for unlimited, want := range map[bool]int{false: http.StatusTooManyRequests, true: http.StatusOK} {
		opts := options(t, text)
		opts.Unlimited = unlimited
		s, err := stack.Start(t.Context(), opts)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Stop)
		if status, _ := get(t, s.URL+"/open", ""); status != http.StatusOK {
			t.Errorf("the first: got %d", status)
		}
		if status, _ := get(t, s.URL+"/open", ""); status != want {
			t.Errorf("unlimited %v: got %d, want %d", unlimited, status, want)
		}
		if status, _ := get(t, s.URL+"/nowhere", ""); status != http.StatusNotFound {
			t.Errorf("another path: got %d", status)
		}
	}
}
