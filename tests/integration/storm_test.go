//go:build integration

package integration_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/tienda-dev/tienda/local/pump"
	"github.com/tienda-dev/tienda/local/stack"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
)

// storm is a proxy before DynamoDB. While it rages, about a quarter of the transactions suffer a fault: their answer is
// lost or is an error after the commit, another transaction is in their way, or they are throttled; and some reads are
// throttled. The table of the rate limits is spared, because checkouts are refused without it.
type storm struct {
	next   http.RoundTripper
	rages  atomic.Bool
	faults atomic.Int64

	mu   sync.Mutex
	dice *rand.Rand
}

// newStorm returns a calm storm before the endpoint, and its own URL. The seed gives the order of the faults.
func newStorm(t *testing.T, endpoint string, seed uint64) (*storm, string) {
	t.Helper()
	behind, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	s := &storm{next: transport, dice: rand.New(rand.NewPCG(seed, seed))}
	server := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(behind); r.Out.Host = r.In.Host },
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }, // ends the connection
		Transport:    s,
	})
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		transport.CloseIdleConnections()
	})
	return s, server.URL
}

// RoundTrip implements http.RoundTripper.
func (s *storm) RoundTrip(r *http.Request) (*http.Response, error) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	fault := s.draw(operation)
	if !s.rages.Load() || fault == nil {
		return s.next.RoundTrip(r)
	}
	s.faults.Add(1)
	return fault(s.next, r)
}

// draw returns the fault of a request, nil for most.
func (s *storm) draw(operation string) ddbtest.Fault {
	s.mu.Lock()
	n := s.dice.IntN(100)
	s.mu.Unlock()
	switch {
	case operation == "TransactWriteItems" && n < 6:
		return ddbtest.LoseResponse
	case operation == "TransactWriteItems" && n < 10:
		return ddbtest.FailAfterCommit
	case operation == "TransactWriteItems" && n < 18:
		return ddbtest.Conflict
	case operation == "TransactWriteItems" && n < 24, operation == "GetItem" && n < 2, operation == "BatchGetItem" && n < 2:
		return ddbtest.Throttle
	default:
		return nil
	}
}

// careless returns a pump's faults: every third delivery is made twice, and the answers of some are lost, so that their
// events come again.
func careless() func(pump.Delivery) pump.Fault {
	var deliveries atomic.Int64
	return func(d pump.Delivery) pump.Fault {
		switch n := deliveries.Add(1); {
		case n%3 == 0:
			return pump.Twice
		case n%20 == 1 && d.Function != "dispatch-events": // whose records have fewer attempts
			return pump.Unanswered
		default:
			return pump.NoFault
		}
	}
}

// sellNaively lets the buyers take one piece each of a stock of their own, without a condition: they read, decide and
// write, and begin again after an error. It returns how many of them have got one.
func (s *shop) sellNaively(t *testing.T, pieces int, buyers []buyer) int64 {
	t.Helper()
	key := ddb.Key{PK: "CONTROL#naive", SK: "S"}
	write := func(n int) error {
		change := expression.Set(expression.Name("available"), expression.Value(n))
		return ddb.Commit(t.Context(), s.table.Client(), s.table.Update(key, change))
	}
	if err := write(pieces); err != nil {
		t.Errorf("fill the stock of the naive: %v", err)
	}
	var sold atomic.Int64
	each(slices.Clone(buyers), func(*buyer) {
		for began := time.Now(); time.Since(began) < clientPatience; {
			var stock struct {
				Available int `dynamodbav:"available"`
			}
			if _, err := s.table.Get(t.Context(), key, &stock, true); err != nil {
				continue
			}
			if stock.Available == 0 {
				return
			}
			if err := write(stock.Available - 1); err == nil {
				sold.Add(1)
				return
			}
		}
	})
	return sold.Load()
}

// redriven moves the dead letters back, as the staff does after a storm, and lets them be worked off.
func (s *shop) redriven(t *testing.T) {
	t.Helper()
	for _, id := range []string{"OrderEventsDeadLetters", "PaymentEventsDeadLetters"} {
		if s.deadLetters(t, id) == 0 {
			continue
		}
		moved, err := s.Redrive(id)
		t.Logf("%d messages of %s are moved back", moved, id)
		if err != nil {
			t.Error(err)
		}
	}
	s.idle(t)
}

// ownBinaries gives a stack's functions a folder of their own, so that killFunctions finds their processes.
func ownBinaries(t *testing.T, o *stack.Options) (folder string) {
	t.Helper()
	folder = t.TempDir()
	binaries, err := filepath.Glob(filepath.Join(root, ".cache", "run", "*", "bootstrap"))
	if err != nil {
		t.Fatal(err)
	}
	for _, binary := range binaries {
		own := filepath.Join(folder, filepath.Base(filepath.Dir(binary)))
		if err := errors.Join(os.Mkdir(own, 0o700), os.Link(binary, filepath.Join(own, "bootstrap"))); err != nil {
			t.Fatal(err)
		}
	}
	o.BinDir = folder
	return folder
}

// killFunctions ends processes of the named functions in the folder without a warning, one each interval, until stop is
// called, which returns how many there were.
func killFunctions(interval time.Duration, folder string, names ...string) (stop func() int) {
	done, ended := make(chan struct{}), make(chan int)
	go func() {
		killed := 0
		defer func() { ended <- killed }()
		for {
			select {
			case <-done:
				return
			case <-time.After(interval):
			}
			for id := range descendants(os.Getpid()) { // in random order
				program, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", id))
				if err != nil || filepath.Dir(filepath.Dir(program)) != folder || !slices.Contains(names, filepath.Base(filepath.Dir(program))) {
					continue
				}
				if syscall.Kill(id, syscall.SIGKILL) == nil {
					killed++
					break
				}
			}
		}
	}()
	return func() int {
		close(done)
		return <-ended
	}
}
