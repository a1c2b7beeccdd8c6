//go:build load

package load_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/ratelimit"
)

// beyond is a user who sends more than a limit admits, and a neighbour who does not, at the same time.
type beyond struct {
	rate api.Rate
	// request has the answer 201 if it is admitted.
	request     func(bearer string, n int) vegeta.Target
	user, other volley
}

// limitsAreExact sends by several connections at once, so that several processes share one bucket. It begins full, and
// gets one more each interval: what it admits is known from when the requests began and ended. A limiter whose store has
// not answered in time has not counted, which a busy machine may need tries for; it never admits more if it is closed.
func limitsAreExact(t *testing.T, s *shop) {
	t.Helper()
	const tries = 5
	for name, b := range map[string]beyond{
		"Orders": {policy.RateCheckout, s.order, volley{200, 40}, volley{25, 5}},
		"Quotes": {
			policy.RateUserWrite, func(bearer string, _ int) vegeta.Target { return s.quote(bearer) }, volley{30, 90}, volley{2, 6},
		},
	} {
		t.Run(name, func(t *testing.T) {
			for try := range tries {
				got, others := s.exceed(t, b, fmt.Sprintf("%s-%d", name, try))
				class, _ := policy.ClassOf(b.rate)
				verdict := judge(got, class)
				if verdict.uncounted+judge(others, class).uncounted > 0 {
					t.Logf("try %d: the store was too slow", try+1)
					if class.OnError == ratelimit.Closed && verdict.admitted > verdict.most {
						t.Fatal(verdict)
					}
					time.Sleep(time.Second) // the breaker is open
					continue
				}
				if verdict.admitted < verdict.least || verdict.admitted > verdict.most || len(verdict.faults) > 0 {
					t.Error(verdict)
				}
				for _, r := range others {
					if r.Code != http.StatusCreated {
						t.Errorf("the neighbour got %d %s", r.Code, r.Body)
					}
				}
				fmt.Printf("limit %-12s %v; the neighbour got %d of %d\n", class.User[0].Name, verdict, judge(others, class).admitted, len(others))
				return
			}
			t.Errorf("the store was too slow in each of %d tries", tries)
		})
	}
}

// order orders one piece of the n-th of some products, so that few orders meet at one stock.
func (s *shop) order(bearer string, n int) vegeta.Target {
	skus := []string{"COF-ETH-250", "COF-COL-1000", "COF-ESP-500", "BRW-FLT-100", "BRW-V60-02"}
	r := s.request(http.MethodPost, "/v1/orders", bearer, lines(skus[n%len(skus)]))
	r.Header.Set("Idempotency-Key", rand.Text())
	return r
}

// exceed returns the answers to a new user and to the neighbour.
func (s *shop) exceed(t *testing.T, b beyond, subject string) (got, neighbour []vegeta.Result) {
	t.Helper()
	greedy, modest := s.token(t, "greedy-"+subject, policy.RoleCustomer), s.token(t, "modest-"+subject, policy.RoleCustomer)
	var both sync.WaitGroup
	both.Go(func() {
		got = s.attack(t, each(func(n int) vegeta.Target { return b.request(greedy, n) }), b.user, 0)
	})
	both.Go(func() {
		neighbour = s.attack(t, each(func(n int) vegeta.Target { return b.request(modest, n) }), b.other, 0)
	})
	both.Wait()
	return got, neighbour
}

// verdict is what was admitted, and what GCRA admits.
type verdict struct {
	sent, admitted, least, most, uncounted int
	faults                                 []string
}

func (v verdict) String() string {
	text := fmt.Sprintf("admitted %d of %d requests, want from %d to %d", v.admitted, v.sent, v.least, v.most)
	return strings.Join(append([]string{text}, v.faults...), "\n")
}

// judge compares the answers to one user with what the class's policy admits.
func judge(results []vegeta.Result, class policy.Class) verdict {
	v := verdict{sent: len(results)}
	var firstBegin, firstEnd, lastDenied, lastEnd time.Time
	for _, r := range results {
		begin, end := r.Timestamp, r.Timestamp.Add(r.Latency)
		if firstBegin.IsZero() || begin.Before(firstBegin) {
			firstBegin = begin
		}
		if firstEnd.IsZero() || end.Before(firstEnd) {
			firstEnd = end
		}
		if end.After(lastEnd) {
			lastEnd = end
		}
		switch {
		case r.Code == http.StatusServiceUnavailable, r.Code == http.StatusCreated && r.Headers.Get("RateLimit") == "":
			v.uncounted++
		case r.Code == http.StatusCreated:
			v.admitted++
		case r.Code == http.StatusTooManyRequests:
			if begin.After(lastDenied) {
				lastDenied = begin
			}
			if wait, err := strconv.Atoi(r.Headers.Get("Retry-After")); err != nil || wait < 1 {
				v.faults = append(v.faults, fmt.Sprintf("a 429 has Retry-After %q", r.Headers.Get("Retry-After")))
			}
		default:
			v.faults = append(v.faults, fmt.Sprintf("got %d %s", r.Code, r.Body))
		}
	}
	v.faults = slices.Compact(v.faults)
	// The bucket's clock began between firstBegin and firstEnd. It was empty at a time after lastDenied began.
	p := class.User[0]
	interval := time.Duration(p.Interval()) * time.Microsecond
	v.least = int(p.Capacity()) + int(max(0, lastDenied.Sub(firstEnd))/interval)
	v.most = int(p.Capacity()) + int(lastEnd.Sub(firstBegin)/interval)
	return v
}
