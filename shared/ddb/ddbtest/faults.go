package ddbtest

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// Fault is what happens to one attempt instead of its plain sending. It may send the attempt itself.
type Fault func(next http.RoundTripper, r *http.Request) (*http.Response, error)

// Faults spoils chosen attempts on their way to DynamoDB, and counts all of them. The zero value
// spoils none. It is safe for concurrent use.
type Faults struct {
	// Next sends the attempts; nil is http.DefaultTransport.
	Next http.RoundTripper

	mu     sync.Mutex
	queues map[string][]Fault
	sent   map[string]int
}

// Option puts the faults below a client: ddb.Open(cfg, faults.Option).
func (f *Faults) Option(o *dynamodb.Options) { o.HTTPClient = &http.Client{Transport: f} }

// Inject lets the next attempts of the operation ("PutItem") suffer the faults, one each, in this
// order. An attempt behind them is sent as it is. A nil fault sends its attempt as it is.
func (f *Faults) Inject(operation string, faults ...Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.queues == nil {
		f.queues = map[string][]Fault{}
	}
	f.queues[operation] = append(f.queues[operation], faults...)
}

// Attempts returns how often the operation was attempted, spoilt attempts included.
func (f *Faults) Attempts(operation string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sent[operation]
}

// RoundTrip implements http.RoundTripper.
func (f *Faults) RoundTrip(r *http.Request) (*http.Response, error) {
	next := f.Next
	if next == nil {
		next = http.DefaultTransport
	}
	if fault := f.take(r); fault != nil {
		return fault(next, r)
	}
	return next.RoundTrip(r)
}

func (f *Faults) take(r *http.Request) Fault {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.sent == nil {
		f.sent = map[string]int{}
	}
	f.sent[operation]++
	queue := f.queues[operation]
	if len(queue) == 0 {
		return nil
	}
	f.queues[operation] = queue[1:]
	return queue[0]
}

// LoseResponse lets DynamoDB do the work and then closes the connection.
func LoseResponse(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	if err := sendAndDiscard(next, r); err != nil {
		return nil, err
	}
	return nil, io.EOF
}

// FailAfterCommit lets DynamoDB do the work and then answers 500 in its place.
func FailAfterCommit(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	if err := sendAndDiscard(next, r); err != nil {
		return nil, err
	}
	return Answer(http.StatusInternalServerError, "InternalServerError", "")(next, r)
}

// BreakOff lets DynamoDB do the work and ends the connection in the middle of the answer's body.
func BreakOff(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	response, err := next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	response.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(io.LimitReader(response.Body, 1), failing{}), response.Body}
	return response, nil
}

// Refuse closes the connection before DynamoDB has seen the request.
func Refuse(http.RoundTripper, *http.Request) (*http.Response, error) {
	return nil, errors.New("connection reset by peer")
}

// Throttle answers that the account's or the table's throughput is used up.
func Throttle(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	return Answer(http.StatusBadRequest, "ProvisionedThroughputExceededException", "")(next, r)
}

// Conflict answers a transaction of two writes that another one was in its way.
func Conflict(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	return Answer(http.StatusBadRequest, "TransactionCanceledException",
		`,"CancellationReasons":[{"Code":"TransactionConflict"},{"Code":"None"}]`)(next, r)
}

// Delay returns a fault that sends the attempt d later. It gives up when the attempt's context ends.
func Delay(d time.Duration) Fault {
	return func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		select {
		case <-time.After(d):
			return next.RoundTrip(r)
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
}

// Answer returns a fault that answers in DynamoDB's place with an error code. more is appended to
// the JSON object, beginning with a comma.
func Answer(status int, code, more string) Fault {
	body := `{"__type":"com.amazonaws.dynamodb.v20120810#` + code + `","message":"injected"` + more + `}`
	return func(_ http.RoundTripper, r *http.Request) (*http.Response, error) {
		return Respond(r, status, body), nil
	}
}

// Respond returns a DynamoDB answer with the status and the JSON body.
func Respond(r *http.Request, status int, body string) *http.Response {
	return &http.Response{
		StatusCode:    status,
		Status:        http.StatusText(status),
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        http.Header{"Content-Type": {"application/x-amz-json-1.0"}, "X-Amzn-Requestid": {"injected"}},
		Body:          io.NopCloser(strings.NewReader(body)),
		ContentLength: int64(len(body)),
		Request:       r,
	}
}

func sendAndDiscard(next http.RoundTripper, r *http.Request) error {
	response, err := next.RoundTrip(r)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, response.Body)
	return errors.Join(err, response.Body.Close())
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
