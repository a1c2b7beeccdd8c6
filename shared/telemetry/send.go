package telemetry

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// sink takes the encoded requests of one signal.
type sink interface {
	send(ctx context.Context, request []byte) error
}

// sendError is an export that failed.
type sendError struct {
	// reason is one word for metrics and the log: timeout, refused, unavailable, rejected.
	reason string
	// retry is whether the same request may be sent again; after, when the collector wants it: its header Retry-After.
	retry bool
	after string
	// accepted is whether the collector took the request before it failed: sent again, it would be there twice.
	accepted bool
	cause    error
}

func (e *sendError) Error() string { return e.reason + ": " + e.cause.Error() }
func (e *sendError) Unwrap() error { return e.cause }

// httpSink sends to a collector.
type httpSink struct {
	client *http.Client
	url    string
	header http.Header
	gzip   bool
	// more returns further headers as "name=value,name=value"; nil for none.
	more func(context.Context) (string, error)
}

// retryPause is the pause before the second attempt of an export.
const retryPause = 50 * time.Millisecond

// maxAnswer is how much of a collector's answer is read, in bytes.
const maxAnswer = 64 << 10

// newHTTPClient returns the client of all signals. It speaks HTTP/1.1 only: a request that times out closes its
// connection, while one of HTTP/2 that broke during a freeze would be used, and time out, again and again.
func newHTTPClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: 500 * time.Millisecond}).DialContext,
			TLSHandshakeTimeout: time.Second,
			IdleConnTimeout:     idleLimit,
			MaxIdleConns:        4,
			MaxIdleConnsPerHost: 4,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// send sends the request, and once more if the collector was not ready or the connection broke.
func (s *httpSink) send(ctx context.Context, request []byte) error {
	body := request
	if s.gzip {
		var zipped bytes.Buffer
		z := gzip.NewWriter(&zipped)
		_, err := z.Write(request)
		if err = errors.Join(err, z.Close()); err != nil { // a buffer does not fail
			return &sendError{reason: "encoding", cause: err}
		}
		body = zipped.Bytes()
	}
	err := s.once(ctx, body)
	var failed *sendError
	if !errors.As(err, &failed) || !failed.retry || failed.after != "" || failed.reason == "timeout" {
		return err
	}
	select {
	case <-time.After(retryPause):
	case <-ctx.Done():
		return err
	}
	return s.once(ctx, body)
}

func (s *httpSink) once(ctx context.Context, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return &sendError{reason: "rejected", cause: err}
	}
	r.Header = s.header.Clone()
	if s.more != nil {
		text, err := s.more(ctx)
		if err != nil {
			return &sendError{reason: "headers", retry: true, cause: err}
		}
		more, err := pairs("the text with the headers of exports", text)
		if err != nil {
			return &sendError{reason: "headers", retry: true, cause: err}
		}
		for name, value := range more {
			r.Header.Set(name, value)
		}
	}
	answer, err := s.client.Do(r)
	if err != nil {
		return broken(ctx, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer)) // read, so that the connection is used again
	switch status := answer.StatusCode; {
	case status < http.StatusMultipleChoices && err != nil:
		failed := broken(ctx, err)
		failed.retry, failed.accepted = false, true
		return failed
	case status < http.StatusMultipleChoices:
		return partial(answer.Header.Get("Content-Type"), text)
	case status == http.StatusTooManyRequests || status == http.StatusBadGateway ||
		status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout:
		return &sendError{
			reason: "unavailable", retry: true, after: answer.Header.Get("Retry-After"),
			cause: fmt.Errorf("status %d", status),
		}
	default:
		return &sendError{reason: "rejected", cause: fmt.Errorf("status %d", status)}
	}
}

// retryAfter reads a header Retry-After: seconds, or a time. 0 is none.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseInt(header, 10, 32); err == nil {
		return max(0, time.Duration(seconds)*time.Second)
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// broken returns the error of a connection. Its text may have the URL, but no header.
func broken(ctx context.Context, err error) *sendError {
	if ctx.Err() != nil {
		return &sendError{reason: "timeout", retry: true, cause: err}
	}
	return &sendError{reason: "refused", retry: true, cause: err}
}

// partialError is an export that was accepted in part.
type partialError struct{ rejected int }

func (e *partialError) Error() string {
	return fmt.Sprintf("the collector rejected %d items", e.rejected)
}

// writerSink writes each request as a line.
type writerSink struct {
	mu *sync.Mutex
	w  io.Writer
}

func (s *writerSink) send(_ context.Context, request []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.w.Write(append(request, '\n')); err != nil {
		return &sendError{reason: "refused", cause: err}
	}
	return nil
}
