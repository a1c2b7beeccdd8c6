//go:build integration && linux

package integration_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/local/stack"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/tests/suite"
)

// between is a proxy before DynamoDB that knows which calls are of the rate limits.
func between(t *testing.T, handle func(pass http.Handler, counter bool, w http.ResponseWriter, r *http.Request)) (endpoint string) {
	t.Helper()
	behind, err := url.Parse(shared.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 16}
	proxy := &httputil.ReverseProxy{
		Transport:    transport,
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(behind); r.Out.Host = r.In.Host },
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }, // ends the connection
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		handle(proxy, bytes.Contains(body, []byte(`"RL#`)), w, r)
	}))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		transport.CloseIdleConnections()
	})
	return server.URL
}

// TestStoreOfLimitsThatFails has faults only in the calls of the limits: reads are served, and nobody can guess passwords without a count.
func TestStoreOfLimitsThatFails(t *testing.T) {
	t.Parallel()
	const (
		works int32 = iota
		fails
		hangs
		resets
	)
	var fault atomic.Int32
	endpoint := between(t, func(pass http.Handler, counter bool, w http.ResponseWriter, r *http.Request) {
		switch {
		case !counter || fault.Load() == works:
			pass.ServeHTTP(w, r)
		case fault.Load() == fails:
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, `{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"planted"}`)
		case fault.Load() == hangs:
			<-r.Context().Done() // the limiter gives up
			panic(http.ErrAbortHandler)
		default:
			panic(http.ErrAbortHandler)
		}
	})
	s := start(t, enforced, func(o *stack.Options) { o.DynamoDBEndpoint = endpoint })
	c := from(t, s, "127.5.1.1")
	// Written out: a class that changes its mode must change it here too.
	closed := map[string]bool{"Login": true, "Register": true, "Token": true}
	for name, of := range refusals(t, "limits-store") {
		class, _ := policy.ClassOf(of.rate)
		request := of.request
		t.Run(name, func(t *testing.T) {
			if a := counted(t, c, request); outcome(a, nil) != of.handler {
				t.Fatalf("with its store: got %d %s", a.Status, a.Body)
			}
			want := of.handler
			if closed[name] {
				want = unavailable
			}
			for kind, is := range map[string]int32{"fails": fails, "hangs": hangs, "resets": resets} {
				fault.Store(is)
				for range 3 {
					began := time.Now()
					a, err := c.Send(t, request)
					if outcome(a, err) != want {
						t.Errorf("a store that %s: got %d %s %v, want %s", kind, a.Status, a.Body, err, want)
					}
					if a.Status == http.StatusServiceUnavailable && !strings.Contains(string(a.Body), "#temporary-reduced-capacity") {
						t.Errorf("a store that %s: the problem's type is another one: %s", kind, a.Body)
					}
					if took := time.Since(began); took > 3*time.Second { // its budget is 300 ms, on a busy machine
						t.Errorf("a store that %s held a request for %v", kind, took)
					}
				}
			}
			fault.Store(works)
			const longest = 15 * time.Second // the breaker stays open for 5 s at most
			for began := time.Now(); ; time.Sleep(100 * time.Millisecond) {
				a, err := c.Send(t, request)
				if o := outcome(a, err); o == limited || o == of.handler && a.Header.Get("RateLimit") != "" || o == of.handler && class.Hide {
					break
				} else if time.Since(began) > longest {
					t.Fatalf("%v after the outage: got %s", longest, o)
				}
			}
		})
	}

	t.Run("ReadOfTheCatalogueIsServed", func(t *testing.T) {
		fault.Store(fails)
		defer fault.Store(works)
		if a := c.Do(t, suite.Request{Method: http.MethodGet, Path: "/v1/categories"}); a.Status != http.StatusOK {
			t.Errorf("got %d %s", a.Status, a.Body)
		}
	})
}

// span is a call of DynamoDB, from its arrival to its answer.
type span struct{ from, to time.Time }

// inSequence returns how many of the calls waited for each other: the longest chain in which each began after the one
// before had ended.
func inSequence(calls []span) int {
	slices.SortFunc(calls, func(a, b span) int { return a.to.Compare(b.to) })
	n, last := 0, time.Time{}
	for _, call := range calls {
		if call.from.After(last) {
			n, last = n+1, call.to
		}
	}
	return n
}

// trips are a request's calls of DynamoDB: how many, and how many in sequence.
type trips struct{ all, sequence int }

// TestLimitsAddNoRoundTripInSequenceToReads compares the calls of a request with limits and without. Each call takes
// long enough for two that are made together to overlap.
func TestLimitsAddNoRoundTripInSequenceToReads(t *testing.T) {
	t.Parallel()
	const (
		delay = 50 * time.Millisecond // less than the limiter's budget
		tries = 7
	)
	var (
		mu    sync.Mutex
		calls []span
	)
	endpoint := between(t, func(pass http.Handler, _ bool, w http.ResponseWriter, r *http.Request) {
		call := span{from: time.Now()}
		time.Sleep(delay)
		pass.ServeHTTP(w, r)
		call.to = time.Now()
		mu.Lock()
		defer mu.Unlock()
		calls = append(calls, call)
	})
	p := suite.New(target(t, shared)).Create(t, suite.NewProduct())
	requests := map[string]func(i int) suite.Request{
		"get-product": func(int) suite.Request {
			return suite.Request{Method: http.MethodGet, Path: "/v1/products/" + p.ID}
		},
		"list-products": func(int) suite.Request {
			return suite.Request{Method: http.MethodGet, Path: "/v1/products?limit=1"}
		},
		"get-staff-product": func(int) suite.Request {
			return suite.Request{Method: http.MethodGet, Path: "/v1/staff/products/" + p.ID}
		},
		"adjust-inventory": func(i int) suite.Request {
			return suite.Request{
				Method: http.MethodPost, Path: "/v1/products/" + p.ID + "/inventory/adjustments",
				Header: map[string]string{"Idempotency-Key": fmt.Sprintf("%s-%d-%d", p.ID, i, time.Now().UnixNano())}, Body: suite.Movement(1),
			}
		},
	}
	median := func(t *testing.T, address string, parameters map[string]string) map[string]trips {
		t.Helper()
		s := start(t, func(o *stack.Options) { o.Parameters, o.DynamoDBEndpoint = parameters, endpoint })
		c := from(t, s, address)
		token := tokenOf(t, "limits-trips", policy.RoleFulfilment, policy.RoleCatalog)
		medians := map[string]trips{}
		for name, request := range requests {
			var all, sequence []int
			for i := range tries {
				mu.Lock()
				calls = nil
				mu.Unlock()
				r := request(i)
				if r.Method == http.MethodPost || strings.Contains(r.Path, "/staff/") {
					r.Token = token
				}
				if a := c.Do(t, r); a.Status >= http.StatusBadRequest {
					t.Fatalf("%s: got %d %s", name, a.Status, a.Body)
				}
				mu.Lock()
				all, sequence = append(all, len(calls)), append(sequence, inSequence(calls))
				mu.Unlock()
			}
			slices.Sort(all)
			slices.Sort(sequence)
			medians[name] = trips{all[tries/2], sequence[tries/2]}
		}
		s.Stop()
		return medians
	}
	without := median(t, "127.6.1.1", map[string]string{stack.RateLimitsOff: ratelimit.All})
	with := median(t, "127.6.1.2", nil)
	for name, request := range requests {
		before, after := without[name], with[name]
		want := trips{before.all + 1, before.sequence}
		if request(0).Method == http.MethodPost {
			want.sequence++ // its handler starts when it is admitted
		}
		if after != want || before.all == 0 {
			t.Errorf("%s: %+v with limits and %+v without, want %+v", name, after, before, want)
		}
	}
}
