package gather_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tienda-dev/tienda/shared/internal/gather"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// counted is a connection that counts its writes.
type counted struct {
	net.Conn

	mu     sync.Mutex
	writes [][]byte
	err    error
	closed bool
}

func (c *counted) Write(p []byte) (int, error) {
	c.mu.Lock()
	c.writes = append(c.writes, bytes.Clone(p))
	err := c.err
	c.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

func (c *counted) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	return c.Conn.Close()
}

func (c *counted) sent() [][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writes
}

// connect returns a connection that gathers its writes, what counts them, and the other end.
func connect(t *testing.T) (net.Conn, *counted, net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var c *counted
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		inner, err := new(net.Dialer).DialContext(ctx, network, address)
		c = &counted{Conn: inner}
		return c, err
	}
	g, err := gather.Dial(dial, l.Addr().String())(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = g.Close()
		_ = server.Close()
	})
	return g, c, server
}

// TestWritesBecomeOne does not run in parallel: it changes the number of threads.
func TestWritesBecomeOne(t *testing.T) { //nolint:paralleltest // see above
	before := runtime.GOMAXPROCS(1)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
	g, c, server := connect(t)
	for _, text := range []string{"header ", "chunk ", "end"} {
		if n, err := g.Write([]byte(text)); n != len(text) || err != nil {
			t.Fatalf("got %d and %v", n, err)
		}
	}
	got := make([]byte, 16)
	if _, err := io.ReadFull(server, got); err != nil || string(got) != "header chunk end" {
		t.Errorf("got %q and %v", got, err)
	}
	if n := len(c.sent()); n != 1 {
		t.Errorf("%d writes, want 1", n)
	}
}

// All bytes arrive in their order, whatever the sizes of the writes, with several threads too.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	g, _, server := connect(t)
	var want []byte
	for i := range 400 {
		want = append(want, bytes.Repeat([]byte{byte(i)}, i*i%200_000)...)
	}
	go func() {
		rest := want
		for i := 0; len(rest) > 0; i++ {
			n := min(len(rest), 1+i*7919%90_000)
			if _, err := g.Write(rest[:n]); err != nil {
				t.Error(err)
				return
			}
			rest = rest[n:]
		}
	}()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(server, got); err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %d bytes and %v", len(got), err)
	}
}

// A write that fails ends the connection: nobody would wait for an answer for ever.
func TestFailedWriteClosesTheConnection(t *testing.T) {
	t.Parallel()
	g, c, _ := connect(t)
	broken := errors.New("broken")
	c.mu.Lock()
	c.err = broken
	c.mu.Unlock()
	if _, err := g.Write([]byte("request")); err != nil {
		t.Fatal(err) // it is not sent yet
	}
	if err := g.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the reader got %v", err)
	}
	if _, err := g.Write([]byte("next")); !errors.Is(err, broken) {
		t.Errorf("the next write got %v", err)
	}
}

func TestWriteAfterCloseFails(t *testing.T) {
	t.Parallel()
	g, _, _ := connect(t)
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Write([]byte("late")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

// net/http sends a request whose body has an unknown length in several writes.
func TestRequestInChunks(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	bodies := make(chan string, 1)
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies <- string(body)
	})}
	go func() { _ = server.Serve(l) }()
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // it is one
	dial := transport.DialContext
	transport.DialContext = gather.Dial(dial, l.Addr().String())
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = server.Close()
	})
	for range 3 {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+l.Addr().String(), io.MultiReader(bytes.NewReader([]byte("answer"))))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if body := <-bodies; body != "answer" {
			t.Errorf("got %q", body)
		}
	}
}
