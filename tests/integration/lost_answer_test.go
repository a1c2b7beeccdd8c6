//go:build integration

package integration_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/local/stack"
	"github.com/tienda-dev/tienda/tests/suite"
)

// lossy is a proxy before DynamoDB. It passes every request on. While lose is above zero, it drops the
// responses of committed writes and closes the connection instead.
type lossy struct {
	proxy *httputil.ReverseProxy
	// operations are the operations with responses that may be lost.
	operations []string
	// lose is how many responses it still drops.
	lose atomic.Int64
	// lost is how many responses it has dropped.
	lost atomic.Int64
	// committed is called before a response is dropped.
	committed atomic.Pointer[func()]
}

func newLossy(t *testing.T, endpoint string, operations ...string) (*lossy, string) {
	t.Helper()
	behind, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	l := &lossy{operations: operations}
	l.proxy = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(behind); r.Out.Host = r.In.Host },
		ModifyResponse: func(res *http.Response) error {
			_, operation, _ := strings.Cut(res.Request.Header.Get("X-Amz-Target"), ".")
			if !slices.Contains(l.operations, operation) || res.StatusCode != http.StatusOK || l.lose.Add(-1) < 0 {
				return nil
			}
			l.lost.Add(1)
			if f := l.committed.Load(); f != nil {
				(*f)()
			}
			_, _ = io.Copy(io.Discard, res.Body)
			return http.ErrAbortHandler
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }, // ends the connection
		Transport:    &http.Transport{MaxIdleConnsPerHost: 16},
	}
	server := httptest.NewServer(l.proxy)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		l.proxy.Transport.(*http.Transport).CloseIdleConnections()
	})
	return l, server.URL
}

// impatient makes a stack whose functions have 3 s instead of 15, so that a test need not wait.
func impatient(t *testing.T) func(*stack.Options) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Replace(text, []byte("    Timeout: 15\n"), []byte("    Timeout: 3\n"), 1)
	if bytes.Equal(text, changed) {
		t.Fatal("template.yaml does not give functions 15 s any more")
	}
	path := filepath.Join(t.TempDir(), "template.yaml")
	if err := os.WriteFile(path, changed, 0o600); err != nil {
		t.Fatal(err)
	}
	return func(o *stack.Options) { o.Template = path }
}

// start returns another stack on the tables of the shared one. It ends with the test.
func start(t *testing.T, changes ...func(*stack.Options)) *stack.Stack {
	t.Helper()
	opts := options(nil)
	opts.DynamoDBEndpoint = shared.Endpoint
	opts.NoEvents = true // the shared stack works off the events of all
	for _, change := range changes {
		change(&opts)
	}
	s, err := stack.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

func TestAdjustmentWithLostResponse(t *testing.T) {
	t.Parallel()
	db, endpoint := newLossy(t, shared.Endpoint, "TransactWriteItems")
	s := start(t, impatient(t), func(o *stack.Options) { o.DynamoDBEndpoint = endpoint })
	c := suite.New(target(t, s))

	// wantOnce repeats the adjustment, like a client without a response.
	wantOnce := func(t *testing.T, p suite.Product, key string) {
		t.Helper()
		second := c.Do(t, c.Adjusting(t, p, key, suite.Movement(5)))
		third := c.Do(t, c.Adjusting(t, p, key, suite.Movement(5)))
		if second.Status != http.StatusCreated || second.Header.Get("Idempotent-Replayed") != "true" {
			t.Errorf("the retry: got %d %s, replayed %q", second.Status, second.Body, second.Header.Get("Idempotent-Replayed"))
		}
		if diff := cmp.Diff(string(second.Body), string(third.Body)); diff != "" {
			t.Errorf("two retries get different answers:\n%s", diff)
		}
		if got := c.Stock(t, p); got.Available != 5 || got.Version != 2 {
			t.Errorf("%d pieces in version %d, want 5 in version 2", got.Available, got.Version)
		}
	}

	// Not in parallel: they share the proxy.
	t.Run("FunctionRetriesAndCountsOnce", func(t *testing.T) {
		p := c.Create(t, suite.NewProduct())
		db.lose.Store(1)
		a := c.Do(t, c.Adjusting(t, p, p.ID, suite.Movement(5)))
		if a.Status != http.StatusCreated || a.Header.Get("Idempotent-Replayed") != "" {
			t.Errorf("got %d %s, replayed %q, want a first 201", a.Status, a.Body, a.Header.Get("Idempotent-Replayed"))
		}
		if db.lost.Swap(0) != 1 {
			t.Error("no answer was lost")
		}
		wantOnce(t, p, p.ID)
	})
	t.Run("FunctionGivesUpAndTheClientRetries", func(t *testing.T) {
		p := c.Create(t, suite.NewProduct())
		db.lose.Store(1000)
		a, err := c.Send(t, c.Adjusting(t, p, p.ID, suite.Movement(5)))
		db.lose.Store(0)
		if err != nil || a.Status < http.StatusInternalServerError || a.Code() == "" {
			t.Errorf("got %d %s, %v, want a problem of the server", a.Status, a.Body, err)
		}
		if db.lost.Swap(0) < 1 {
			t.Error("no answer was lost")
		}
		wantOnce(t, p, p.ID)
	})
	t.Run("ClientLeavesAndRetries", func(t *testing.T) {
		p := c.Create(t, suite.NewProduct())
		ctx, leave := context.WithCancel(t.Context())
		f := func() { leave() }
		db.committed.Store(&f)
		db.lose.Store(1)
		_, err := c.Send(leaving{t, ctx}, c.Adjusting(t, p, p.ID, suite.Movement(5)))
		db.committed.Store(nil)
		if err == nil {
			t.Error("the client got an answer after it had left")
		}
		wantOnce(t, p, p.ID)
		db.lost.Store(0)
	})
	t.Run("CreationCountsOnceToo", func(t *testing.T) {
		body := suite.NewProduct()
		db.lose.Store(1)
		p := c.Create(t, body)
		if db.lost.Swap(0) != 1 {
			t.Error("no answer was lost")
		}
		if got := c.StaffList(t, "active", "category", body["category"].(string)).Data; len(got) != 1 || got[0].ID != p.ID {
			t.Errorf("got %+v, want one product", got)
		}
	})
	t.Run("PatchCountsOnceToo", func(t *testing.T) {
		p := c.Create(t, suite.NewProduct())
		db.lose.Store(1)
		a := c.Do(t, c.Patching(t, p, `{"name":"Other"}`))
		if a.Status != http.StatusOK || c.Get(t, p.ID).Version != 2 {
			t.Errorf("got %d %s, want 200 and version 2", a.Status, a.Body)
		}
		if db.lost.Swap(0) != 1 {
			t.Error("no answer was lost")
		}
	})
	t.Run("AnotherKeyCountsAgain", func(t *testing.T) { // or the tests above prove nothing
		p := c.Create(t, suite.NewProduct())
		for _, key := range []string{p.ID + "-1", p.ID + "-2"} {
			db.lose.Store(1)
			c.Do(t, c.Adjusting(t, p, key, suite.Movement(5)))
		}
		if got := c.Stock(t, p); got.Available != 10 {
			t.Errorf("%d pieces, want 10", got.Available)
		}
	})
}

// leaving is a test that ends its requests with ctx.
type leaving struct {
	suite.TB
	ctx context.Context
}

// Context implements suite.TB.
func (l leaving) Context() context.Context { return l.ctx }

func TestDatabaseThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	var hung atomic.Bool
	behind, err := url.Parse(shared.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 16}
	proxy := &httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(behind); r.Out.Host = r.In.Host }}
	released := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if hung.Load() {
			select {
			case <-released:
			case <-r.Context().Done():
			}
			panic(http.ErrAbortHandler)
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		close(released)
		server.CloseClientConnections()
		server.Close()
		transport.CloseIdleConnections()
	})
	s := start(t, impatient(t), func(o *stack.Options) { o.DynamoDBEndpoint = server.URL })
	c := suite.New(target(t, s))
	p := suite.New(target(t, shared)).Create(t, suite.NewProduct()) // with more time, on a busy machine

	hung.Store(true)
	outcomes := together(2, func(i int) string {
		if i == 0 {
			return outcome(c.Send(t, suite.Request{Method: http.MethodGet, Path: "/v1/products/" + p.ID}))
		}
		return outcome(c.Send(t, suite.Request{Method: http.MethodGet, Path: "/health/ready"}))
	})
	if diff := cmp.Diff([]string{"504 timeout", "503"}, outcomes); diff != "" {
		t.Errorf("a product and the readiness (-want +got):\n%s", diff)
	}

	hung.Store(false)
	const tries = 20 // each may take the 3 s of a timeout, on a busy machine
	for i := range tries {
		a := c.Do(t, suite.Request{Method: http.MethodGet, Path: "/v1/products/" + p.ID})
		if a.Status == http.StatusOK {
			return
		}
		t.Logf("try %d after the outage: got %d %s", i+1, a.Status, a.Body)
	}
	t.Error("it does not answer after the outage")
}
