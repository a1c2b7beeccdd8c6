package gateway_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/local/gateway"
	"github.com/tienda-dev/tienda/local/runtime"
)

// raw is a client that writes its bytes by hand.
type raw struct {
	*net.TCPConn
	reader *bufio.Reader
}

// connect opens a connection to the API. A read that waits longer than ten seconds fails the test: that
// is a third of the default body timeout, so only the limit of the test can have ended the wait.
func (a *api) connect(t *testing.T) *raw {
	t.Helper()
	conn, err := net.Dial("tcp", a.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &raw{conn.(*net.TCPConn), bufio.NewReader(conn)}
}

// write sends a request line, headers and the body, which may be incomplete.
func (c *raw) write(t *testing.T, line, headers, body string) {
	t.Helper()
	if _, err := fmt.Fprintf(c, "%s HTTP/1.1\r\nHost: api.example\r\n%s\r\n%s", line, headers, body); err != nil {
		t.Fatal(err)
	}
}

// halfClose ends the sending side of the connection.
func (c *raw) halfClose(t *testing.T) {
	t.Helper()
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
}

// read returns the next answer on the connection.
func (c *raw) read(t *testing.T) reply {
	t.Helper()
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{response.StatusCode, response.Header, string(body)}
}

// wantClosed fails unless the connection ends without another byte.
func (c *raw) wantClosed(t *testing.T) {
	t.Helper()
	if rest, err := io.ReadAll(c.reader); err != nil || len(rest) > 0 {
		t.Errorf("got %q, %v after the answer, want the end", rest, err)
	}
}

// slowly answers after a moment, or fails if its context ends before.
func slowly(payload string) answering {
	return func(ctx context.Context, _ map[string]any) (runtime.Result, error) {
		select {
		case <-time.After(200 * time.Millisecond):
			return runtime.Result{Payload: []byte(payload)}, nil
		case <-ctx.Done():
			return runtime.Result{}, ctx.Err()
		}
	}
}

func TestClientThatHalfClosesGetsItsAnswer(t *testing.T) {
	t.Parallel()
	a := serve(t, gateway.Config{
		Routes: []gateway.Route{
			{RouteKey: "ANY /gone", Function: "gone"},
			{RouteKey: "GET /closed", Function: "gone", Authorizer: "slow"},
			{RouteKey: "GET /refused", Function: "gone", Authorizer: "no"},
		},
		Authorizers: map[string]gateway.Authorizer{
			"slow": {Function: "yes"}, "no": {Function: "no"},
		},
	}, map[string]answering{
		"gone": slowly(`{"statusCode":410,"headers":{"content-type":"application/problem+json"},"body":"archived"}`),
		"yes":  slowly(`{"isAuthorized":true}`),
		"no":   slowly(`{"isAuthorized":false}`),
	})
	tests := map[string]struct {
		line, headers, body string
		status              int
		answer              string
	}{
		"Get":     {"GET /gone", "", "", 410, "archived"},
		"Post":    {"POST /gone", "Content-Length: 4\r\n", "body", 410, "archived"},
		"Chunked": {"POST /gone", "Transfer-Encoding: chunked\r\n", "4\r\nbody\r\n0\r\n\r\n", 410, "archived"},
		"Allowed": {"GET /closed", "", "", 410, "archived"},
		"Refused": {"GET /refused", "", "", 403, forbidden},
		"NoRoute": {"GET /nowhere", "", "", 404, `{"message":"Not Found"}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := a.connect(t)
			c.write(t, test.line, test.headers, test.body)
			c.halfClose(t)
			got := c.read(t)
			got.want(t, test.status, test.answer)
			if got.Header.Get("Apigw-Requestid") == "" {
				t.Errorf("header %v", got.Header)
			}
			c.wantClosed(t)
		})
	}
}

func TestBodyThatBreaksOffIsABadRequest(t *testing.T) {
	t.Parallel()
	a := serve(t, gateway.Config{Routes: routes("$default")}, nil)
	for name, test := range map[string]struct{ headers, body string }{
		"WithLength":     {"Content-Length: 100\r\n", "only these"},
		"NothingOfIt":    {"Content-Length: 100\r\n", ""},
		"Chunked":        {"Transfer-Encoding: chunked\r\n", "a\r\nonly these\r\n"},
		"MiddleOfAChunk": {"Transfer-Encoding: chunked\r\n", "64\r\nonly these"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := a.connect(t)
			c.write(t, "POST /", test.headers, test.body)
			c.halfClose(t)
			c.read(t).want(t, http.StatusBadRequest, `{"message":"Bad Request"}`)
			c.wantClosed(t)
		})
	}
	if n := a.count("f"); n != 0 {
		t.Errorf("invoked %d times", n)
	}
}

// TestInvocationOutlivesItsClient closes the connection during an invocation. AWS finishes it.
func TestInvocationOutlivesItsClient(t *testing.T) {
	t.Parallel()
	invoked, finished := make(chan struct{}), make(chan struct{})
	a := serve(t, gateway.Config{Routes: routes("$default")}, map[string]answering{
		"f": func(ctx context.Context, event map[string]any) (runtime.Result, error) {
			close(invoked)
			defer close(finished)
			return slowly(`{"statusCode":201}`)(ctx, event)
		},
	})
	c := a.connect(t)
	c.write(t, "GET /", "", "")
	<-invoked
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	<-finished
	if entry := a.logged(t, 1); entry.Status != http.StatusCreated || entry.Error != "" {
		t.Errorf("entry %+v", entry)
	}
}

func TestLengthOverTheLimitIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	a := serve(t, gateway.Config{
		Routes:      []gateway.Route{{RouteKey: "$default", Function: "f", Authorizer: "yes"}},
		Authorizers: map[string]gateway.Authorizer{"yes": {Function: "yes"}},
	}, nil)
	for name, headers := range map[string]string{
		"OneByteTooMany":  fmt.Sprintf("Content-Length: %d\r\n", gateway.MaxBodyBytes+1),
		"Absurd":          "Content-Length: 99999999999\r\n",
		"AskedBeforehand": "Content-Length: 99999999999\r\nExpect: 100-continue\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := a.connect(t)
			c.write(t, "POST /", headers, "the first few of many")
			c.read(t).want(t, http.StatusRequestEntityTooLarge, `{"message":"Request Entity Too Large"}`)
			c.wantClosed(t)
		})
	}
	if n := a.count("yes"); n != 0 {
		t.Errorf("asked the authorizer %d times", n)
	}
}

func TestBodyThatNeverCompletes(t *testing.T) {
	t.Parallel()
	const limit = 300 * time.Millisecond
	a := serve(t, gateway.Config{
		Routes: []gateway.Route{
			{RouteKey: "POST /open", Function: "f"}, {RouteKey: "POST /closed", Function: "f", Authorizer: "no"},
		},
		Authorizers: map[string]gateway.Authorizer{"no": {Function: "no"}},
		BodyTimeout: limit,
	}, map[string]answering{"no": says(`{"isAuthorized":false}`), "f": slowly(`{"statusCode":200,"body":"ok"}`)})

	for name, test := range map[string]struct {
		line   string
		status int
		answer string
	}{
		"Awaited": {"POST /open", http.StatusRequestTimeout, `{"message":"Request Timeout"}`},
		"Refused": {"POST /closed", http.StatusForbidden, forbidden},
		"NoRoute": {"POST /nowhere", http.StatusNotFound, `{"message":"Not Found"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := a.connect(t)
			c.write(t, test.line, "Content-Length: 100\r\n", "only these")
			c.read(t).want(t, test.status, test.answer)
			c.wantClosed(t)
		})
	}

	// The limit is the body's: neither the function's time nor the connection's counts.
	t.Run("CompleteInTime", func(t *testing.T) {
		t.Parallel()
		c := a.connect(t)
		for range 3 {
			c.write(t, "POST /open", "Content-Length: 10\r\n", "only ")
			time.Sleep(limit * 2 / 3)
			if _, err := io.Copy(c, strings.NewReader("these")); err != nil {
				t.Fatal(err)
			}
			c.read(t).want(t, http.StatusOK, "ok")
			time.Sleep(limit * 2)
		}
	})
}
