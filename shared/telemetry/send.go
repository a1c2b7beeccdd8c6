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
	// retry is whether the same request may be sent again.
	retry bool
	cause error
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

// newHTTPClient returns the client of all signals. A connection idle for longer than a few seconds may have been
// closed while the environment was frozen; a new one is cheaper than a lost export.
func newHTTPClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: 500 * time.Millisecond}).DialContext,
			TLSHandshakeTimeout: time.Second,
			IdleConnTimeout:     10 * time.Second,
			MaxIdleConns:        4,
			MaxIdleConnsPerHost: 4,
			ForceAttemptHTTP2:   true,
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
			return &sendError{"encoding", false, err}
		}
		body = zipped.Bytes()
	}
	err := s.once(ctx, body)
	var failed *sendError
	if !errors.As(err, &failed) || !failed.retry || failed.reason == "timeout" {
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
		return &sendError{"rejected", false, err}
	}
	r.Header = s.header.Clone()
	if s.more != nil {
		text, err := s.more(ctx)
		if err != nil {
			return &sendError{"headers", true, err}
		}
		more, err := pairs("the text with the headers of exports", text)
		if err != nil {
			return &sendError{"headers", true, err}
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
	switch {
	case err != nil:
		return broken(ctx, err)
	case answer.StatusCode < http.StatusMultipleChoices:
		return partial(answer.Header.Get("Content-Type"), text)
	case answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode == http.StatusBadGateway ||
		answer.StatusCode == http.StatusServiceUnavailable || answer.StatusCode == http.StatusGatewayTimeout:
		return &sendError{"unavailable", true, fmt.Errorf("status %d", answer.StatusCode)}
	default:
		return &sendError{"rejected", false, fmt.Errorf("status %d", answer.StatusCode)}
	}
}

// broken returns the error of a connection. Its text may have the URL, but no header.
func broken(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return &sendError{"timeout", true, err}
	}
	return &sendError{"refused", true, err}
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
		return &sendError{"refused", false, err}
	}
	return nil
}
