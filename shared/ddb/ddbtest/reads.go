package ddbtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// Read is one read as it was asked for.
type Read struct {
	// Operation is GetItem, BatchGetItem or Query.
	Operation string
	// Consistent says that it sees every write that was answered before. DynamoDB Local always does,
	// so its results cannot show the difference.
	Consistent bool
}

// Reads records the reads that are sent to DynamoDB. The zero value is ready. It is safe for concurrent use.
type Reads struct {
	mu   sync.Mutex
	seen []Read
}

// Option puts the notes below a client: ddb.Open(cfg, reads.Option).
func (r *Reads) Option(o *dynamodb.Options) { o.HTTPClient = &http.Client{Transport: r} }

// Take returns the reads since the last call of Take.
func (r *Reads) Take() []Read {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := r.seen
	r.seen = nil
	return seen
}

// RoundTrip implements http.RoundTripper.
func (r *Reads) RoundTrip(request *http.Request) (*http.Response, error) {
	_, operation, _ := strings.Cut(request.Header.Get("X-Amz-Target"), ".")
	switch operation {
	case "GetItem", "BatchGetItem", "Query":
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return nil, err
		}
		if err := request.Body.Close(); err != nil {
			return nil, err
		}
		request = request.Clone(request.Context())
		request.Body = io.NopCloser(bytes.NewReader(body))
		consistent, err := consistent(body)
		if err != nil {
			return nil, err
		}
		r.mu.Lock()
		r.seen = append(r.seen, Read{Operation: operation, Consistent: consistent})
		r.mu.Unlock()
	}
	return http.DefaultTransport.RoundTrip(request)
}

// consistent reports whether everything that the request asks for is read consistently.
func consistent(body []byte) (bool, error) {
	var in struct {
		ConsistentRead bool
		RequestItems   map[string]struct{ ConsistentRead bool }
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return false, fmt.Errorf("ddbtest: the request: %w", err)
	}
	for _, table := range in.RequestItems {
		if !table.ConsistentRead {
			return false, nil
		}
	}
	return in.ConsistentRead || len(in.RequestItems) > 0, nil
}
