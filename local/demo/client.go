package demo

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	timeout = 40 * time.Second // the gateway gives up after 30, and answers 503 while it builds a function
	// pause is the time between two reads of something that is waited for.
	pause = 300 * time.Millisecond
	// attempts is how often a request is sent if the API answers 429 or 503.
	attempts = 4
	// maxBody limits how much of an answer is read, in bytes.
	maxBody = 1 << 20
)

type request struct {
	method, path string
	// token is an access token; empty sends none.
	token string
	// body is nil or anything that encoding/json writes.
	body any
	// header has more headers.
	header map[string]string
}

type response struct {
	status int
	header http.Header
	body   []byte
}

// call sends the request and decodes the answer into dst, unless it is nil. Any other status is an error. A request that
// is repeated has the same idempotency key.
func (d *demo) call(ctx context.Context, r request, status int, dst any) error {
	res, err := d.send(ctx, r)
	if err != nil {
		return err
	}
	if res.status != status || dst != nil && json.Unmarshal(res.body, dst) != nil {
		return unexpected(r, res)
	}
	return nil
}

// send sends a request, and repeats it when the API is busy.
func (d *demo) send(ctx context.Context, r request) (response, error) {
	var body []byte
	if r.body != nil {
		var err error
		if body, err = json.Marshal(r.body); err != nil {
			return response{}, err
		}
	}
	key := rand.Text()
	for attempt := 1; ; attempt++ {
		res, err := d.once(ctx, r, body, key)
		busy := slices.Contains([]int{http.StatusTooManyRequests, http.StatusServiceUnavailable}, res.status)
		if err != nil || !busy || attempt == attempts {
			return res, err
		}
		select {
		case <-ctx.Done():
			return res, ctx.Err()
		case <-time.After(time.Duration(attempt) * time.Second):
		}
	}
}

func (d *demo) once(ctx context.Context, r request, body []byte, key string) (response, error) {
	req, err := http.NewRequestWithContext(ctx, r.method, strings.TrimRight(d.cfg.URL, "/")+r.path, bytes.NewReader(body))
	if err != nil {
		return response{}, err
	}
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	if r.method == http.MethodPost {
		req.Header.Set("Idempotency-Key", key)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, value := range r.header {
		req.Header.Set(name, value)
	}
	res, err := d.http.Do(req)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return response{}, fmt.Errorf("no API runs at %s: start one with `make run`, or set PORT", d.cfg.URL)
	}
	if err != nil {
		return response{}, err
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	return response{status: res.StatusCode, header: res.Header, body: data}, err
}

func unexpected(r request, res response) error {
	const most = 400
	text := strings.TrimSpace(string(res.body))
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "")
	}
	return fmt.Errorf("%s %s answered %d: %s", r.method, r.path, res.status, text)
}
