//go:build integration && linux

// On Linux a client can come from any address of 127.0.0.0/8: each test has addresses of its own.

package integration_test

import (
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/local/record"
	"github.com/tienda-dev/tienda/local/stack"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/tests/suite"
)

// enforced makes a stack whose rate limits refuse, as on AWS.
func enforced(o *stack.Options) { o.Parameters = nil }

// from returns the API as a client at the address sees it.
func from(t *testing.T, s *stack.Stack, address string) *suite.Caller {
	t.Helper()
	to := target(t, s)
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	to.Client.Transport.(*http.Transport).DialContext = dialer.DialContext
	return suite.New(to)
}

// limitOf returns the one policy of a class.
func limitOf(t *testing.T, rate api.Rate) ratelimit.Policy {
	t.Helper()
	class, ok := policy.ClassOf(rate)
	all := slices.Concat(class.IP, class.User)
	if !ok || len(all) != 1 || all[0].Algorithm != ratelimit.GCRA {
		t.Fatalf("the class %s is not one bucket: %+v", rate, all)
	}
	return all[0]
}

// interval is how long a bucket takes to fill by one.
func interval(p ratelimit.Policy) time.Duration { return p.Window / time.Duration(p.Limit) }

// The outcomes of requests that are not admitted.
const (
	limited     = "429 rate_limited"
	unavailable = "503 rate_limit_unavailable"
)

// counted repeats a request whose store did not answer in time, on a busy machine.
func counted(t *testing.T, c *suite.Caller, request suite.Request) suite.Answer {
	t.Helper()
	a, err := patiently(t, func() (suite.Answer, error) { return c.Send(t, request) })
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// writes counts the writes of counters.
type writes struct{ n atomic.Int64 }

func (w *writes) see(a record.Action) {
	if a.Key == "RL#*" && a.Name != "dynamodb:GetItem" { // INIT and logins read
		w.n.Add(1)
	}
}

// refused is a request that its handler refuses before it does anything: it shows only whether it was admitted.
type refused struct {
	rate    api.Rate
	request suite.Request
	handler string // the outcome if it is admitted
}

// refusals has a class for each kind of subject, mode and speed. The user is the subject of UserWrite.
func refusals(t *testing.T, user string) map[string]refused {
	t.Helper()
	const malformed = "400 malformed_json"
	post := func(path string) suite.Request {
		return suite.Request{Method: http.MethodPost, Path: path, Body: `{`}
	}
	return map[string]refused{
		"Register":   {policy.RateRegister, post("/v1/auth/register"), malformed},
		"Login":      {policy.RateLogin, post("/v1/auth/login"), malformed},
		"Token":      {policy.RateToken, post("/v1/auth/refresh"), malformed},
		"PublicRead": {policy.RatePublicRead, suite.Request{Method: http.MethodGet, Path: "/v1/products?limit=0"}, "400 invalid_parameter"},
		"UserWrite": {policy.RateUserWrite, suite.Request{
			Method: http.MethodPatch, Path: "/v1/customers/me", Body: `{}`, Token: tokenOf(t, user, policy.RoleCustomer),
		}, "428 precondition_required"},
	}
}

// tokenOf returns a token of a user.
func tokenOf(t *testing.T, subject string, roles ...string) string {
	t.Helper()
	text, err := shared.Token(subject, roles...)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// burst is what clients that send at once were answered.
type burst struct {
	outcomes  map[string]int
	uncounted int // answers of a limiter whose store has not answered in time
	took      time.Duration
}

// sendAtOnce has clients that each send a request several times, in processes of their own.
func sendAtOnce(t *testing.T, c *suite.Caller, of refused, clients, each int) burst {
	t.Helper()
	class, _ := policy.ClassOf(of.rate)
	var uncounted atomic.Int64
	began := time.Now()
	all := together(clients, func(int) []string {
		var mine []string
		for range each {
			a, err := c.Send(t, of.request)
			o := outcome(a, err)
			if o == unavailable || o == of.handler && !class.Hide && a.Header.Get("RateLimit") == "" {
				uncounted.Add(1)
			}
			mine = append(mine, o)
		}
		return mine
	})
	return burst{count(slices.Concat(all...)), int(uncounted.Load()), time.Since(began)}
}

// TestLimitsAreExactOverProcesses has clients that send at once, so that several processes share one bucket. A bucket
// that is full at the beginning admits what it holds, and one more for each interval that passes. A class that is closed
// never admits more; the exact number holds when the store answers in time, which a busy machine may need tries for.
func TestLimitsAreExactOverProcesses(t *testing.T) { //nolint:paralleltest // it needs the machine to itself
	const clients, tries = 4, 8
	var log suite.Buffer
	s := start(t, enforced, func(o *stack.Options) { o.Out = &log })
	i := 0
	for _, name := range slices.Sorted(maps.Keys(refusals(t, "limits"))) {
		t.Run(name, func(t *testing.T) {
			for try := range tries {
				i++
				of := refusals(t, fmt.Sprintf("limits-exact-%d", i))[name]
				class, _ := policy.ClassOf(of.rate)
				p := limitOf(t, of.rate)
				// Processes that are warm, so that the bucket does not fill while they start.
				warm := refusals(t, "limits-warm")[name]
				sendAtOnce(t, from(t, s, fmt.Sprintf("127.1.2.%d", i)), warm, clients, 1)

				each := int(p.Burst)*2/clients + 1
				got := sendAtOnce(t, from(t, s, fmt.Sprintf("127.1.1.%d", i)), of, clients, each)
				admitted, most := got.outcomes[of.handler], int(p.Burst)+int(got.took/interval(p))
				if class.OnError == ratelimit.Closed && admitted > most {
					t.Fatalf("a bucket of %d admitted %d requests in %v: %v", p.Burst, admitted, got.took, got.outcomes)
				}
				if got.uncounted > 0 {
					t.Logf("try %d: the store was too slow for %d requests", try+1, got.uncounted)
					time.Sleep(time.Second) // the breaker is open
					continue
				}
				if admitted < int(p.Burst) || admitted > most || admitted+got.outcomes[limited] != clients*each {
					t.Errorf("in %v a bucket of %d that gets one each %v answered %v, want from %d to %d times %q and otherwise 429",
						got.took, p.Burst, interval(p), got.outcomes, p.Burst, most, of.handler)
				}
				return
			}
			t.Errorf("the store was too slow in each of %d tries", tries)
		})
	}
	if cold := len(linesWith(&log, "POST /v1/auth/register", "cold start")); cold < 2 {
		t.Errorf("%d process had all requests", cold)
	}
}

// TestBlockedClientCostsNothing uses up a bucket that fills slowly, by one request after the other: one process has
// them all, and remembers the denial for 2 s.
func TestBlockedClientCostsNothing(t *testing.T) { //nolint:paralleltest // it needs the machine to itself
	const remembered = 2 * time.Second
	var seen writes
	s := start(t, enforced, func(o *stack.Options) { o.Record = seen.see })
	of := refusals(t, "limits-blocked")["Register"]
	p := limitOf(t, of.rate)
	c := from(t, s, "127.2.1.1")
	request := of.request

	var asked time.Time
	var denied suite.Answer
	for range 10 * p.Burst {
		asked = time.Now()
		if denied = counted(t, c, request); denied.Status == http.StatusTooManyRequests {
			break
		}
	}
	if denied.Status != http.StatusTooManyRequests {
		t.Fatalf("nothing was denied: %d %s", denied.Status, denied.Body)
	}
	before := seen.n.Load()
	if before < p.Burst {
		t.Errorf("%d writes for %d admitted requests: this test does not see them", before, p.Burst)
	}
	for range 20 {
		if a := counted(t, c, request); outcome(a, nil) == of.handler && time.Since(asked) < interval(p) {
			t.Errorf("admitted %v after the denial", time.Since(asked))
		}
	}
	if n, most := seen.n.Load()-before, int64(time.Since(asked)/remembered); n > most {
		t.Errorf("20 requests of a blocked client cost %d writes, want at most %d", n, most)
	}

	if a := counted(t, from(t, s, "127.2.1.2"), request); outcome(a, nil) != of.handler {
		t.Errorf("another address: got %d %s, want %s", a.Status, a.Body, of.handler)
	}
	if a := counted(t, from(t, s, "127.2.1.1"), request); a.Status != http.StatusTooManyRequests && time.Since(asked) < interval(p) {
		t.Errorf("another connection of the blocked address: got %d %s", a.Status, a.Body)
	}
}

// untilDenied sends until a request is denied.
func untilDenied(t *testing.T, c *suite.Caller, request suite.Request) suite.Answer {
	t.Helper()
	var mu sync.Mutex
	var denied *suite.Answer
	together(8, func(int) struct{} {
		for range 100 {
			a, err := c.Send(t, request)
			mu.Lock()
			if err == nil && a.Status == http.StatusTooManyRequests && denied == nil {
				denied = &a
			}
			over := denied != nil
			mu.Unlock()
			if over {
				break
			}
		}
		return struct{}{}
	})
	if denied == nil {
		t.Fatal("800 requests, and none was denied")
	}
	return *denied
}

func TestDenialTellsClientsWhenToComeAgain(t *testing.T) { //nolint:paralleltest // it needs the machine to itself
	s := start(t, enforced)
	for name, tc := range map[string]struct {
		address string
		hidden  bool
	}{
		"UserWrite": {"127.3.1.1", false},
		"Login":     {"127.3.1.2", true},
	} {
		t.Run(name, func(t *testing.T) {
			of := refusals(t, "limits-headers")[name]
			p := limitOf(t, of.rate)
			c := from(t, s, tc.address)
			request := of.request
			wantPolicy := fmt.Sprintf("%q;q=%d;w=%d", p.Name, p.Limit, int(p.Window/time.Second))

			admitted := counted(t, c, request)
			if got := admitted.Header.Get("RateLimit-Policy"); got != wantPolicy {
				t.Errorf("an admitted request: RateLimit-Policy %q, want %q", got, wantPolicy)
			}
			if got := admitted.Header.Get("RateLimit"); strings.HasPrefix(got, fmt.Sprintf("%q;r=", p.Name)) == tc.hidden {
				t.Errorf("an admitted request: RateLimit %q, hidden %v", got, tc.hidden)
			}

			denied := untilDenied(t, c, request)
			wait, err := strconv.Atoi(denied.Header.Get("Retry-After"))
			if most := int(interval(p)/time.Second) + 1; err != nil || wait < 1 || wait > most {
				t.Errorf("Retry-After %q, want from 1 to %d", denied.Header.Get("Retry-After"), most)
			}
			want := http.Header{
				"Ratelimit-Policy": {wantPolicy}, "Content-Type": {"application/problem+json"}, "Cache-Control": {"no-store"},
			}
			if !tc.hidden {
				want["Ratelimit"] = []string{fmt.Sprintf("%q;r=0;t=%d", p.Name, wait)}
			}
			got := http.Header{}
			for _, key := range []string{"Ratelimit-Policy", "Ratelimit", "Content-Type", "Cache-Control", "X-Ratelimit-Limit"} {
				if values := denied.Header.Values(key); len(values) > 0 {
					got[key] = values
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("headers of the denial (-want +got):\n%s", diff)
			}
			for _, part := range []string{
				`"type":"https://iana.org/assignments/http-problem-types#quota-exceeded"`, `"status":429`,
				`"code":"rate_limited"`, fmt.Sprintf(`"violated-policies":[%q]`, p.Name),
			} {
				if !strings.Contains(string(denied.Body), part) {
					t.Errorf("the body lacks %s: %s", part, denied.Body)
				}
			}

			time.Sleep(time.Duration(wait) * time.Second)
			if a := counted(t, c, request); outcome(a, nil) != of.handler {
				t.Errorf("after Retry-After: got %d %s, want %s", a.Status, a.Body, of.handler)
			}
		})
	}
}

func TestLegacyHeadersAreAnOption(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *stack.Options) { o.Parameters = map[string]string{"RateLimitsLegacyHeaders": "true"} })
	p := limitOf(t, policy.RatePublicRead)
	to := target(t, s)
	to.Document = nil // docs/api.md: the document does not list these headers
	a := suite.New(to).Do(t, suite.Request{Method: http.MethodGet, Path: "/v1/products?limit=0"})
	if got, want := a.Header.Get("X-RateLimit-Limit"), strconv.FormatInt(p.Capacity(), 10); got != want {
		t.Errorf("X-RateLimit-Limit is %q, want %q", got, want)
	}
}

// TestLimitsThatAreOff has the variable that LIMITS=off sets.
func TestLimitsThatAreOff(t *testing.T) {
	t.Parallel()
	var seen writes
	s := start(t, func(o *stack.Options) {
		o.Parameters, o.Record = map[string]string{stack.RateLimitsOff: ratelimit.All}, seen.see
	})
	for name, of := range refusals(t, "limits-off") {
		c := from(t, s, "127.4.1.1")
		request := of.request
		for range limitOf(t, of.rate).Burst + 10 {
			a := c.Do(t, request)
			if outcome(a, nil) != of.handler || a.Header.Get("RateLimit-Policy") != "" {
				t.Fatalf("%s: got %d %s with RateLimit-Policy %q", name, a.Status, a.Body, a.Header.Get("RateLimit-Policy"))
			}
		}
	}
	if n := seen.n.Load(); n != 0 {
		t.Errorf("%d writes of limits that are off", n)
	}
}
