// Package seed loads sample products and their stock through the API, as a client with a token. Loading
// again changes nothing: a product that exists is kept, and stock is added with a fixed idempotency key.
package seed

import (
	"bytes"
	"context"
	_ "embed" // the sample products
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

//go:embed products.json
var products []byte

const (
	// attempts is how often a request is sent if the API answers 429 or 503.
	attempts = 4
	// maxBody limits how much of an answer is read, in bytes.
	maxBody = 1 << 20
	timeout = 15 * time.Second
)

// Roles returns the roles that the token needs: to create products and to move stock.
func Roles() []string { return []string{"catalog", "fulfilment"} }

// Routes returns the keys of the routes that Load calls.
func Routes() []string {
	return []string{"POST /v1/products", "GET /v1/staff/products", "POST /v1/products/{id}/inventory/adjustments"}
}

// Config configures Load. URL and Token are required.
type Config struct {
	// URL is the API's, "http://localhost:3000".
	URL string
	// Token is an access token with Roles.
	Token string
	// Loaded is called after each product. Nil is not called.
	Loaded func(done, total int)
}

// Result counts what was loaded.
type Result struct {
	// Created and Existing are products.
	Created, Existing int
	// Pieces is the stock that this load added, in pieces.
	Pieces int
}

type sample struct {
	Stock   int             `json:"stock"`
	Product json.RawMessage `json:"product"`
}

type product struct {
	ID       string `json:"id"`
	SKU      string `json:"sku"`
	Category string `json:"category"`
	Status   string `json:"status"`
}

// Load creates the sample products and their stock. It stops at the first answer that neither is a success
// nor shows an earlier load.
func Load(ctx context.Context, cfg Config) (Result, error) {
	if cfg.URL == "" || cfg.Token == "" {
		return Result{}, errors.New("seed: a URL and a token are required")
	}
	var samples []sample
	if err := json.Unmarshal(products, &samples); err != nil {
		return Result{}, fmt.Errorf("seed: %w", err)
	}

	c := &client{cfg: cfg, http: &http.Client{Timeout: timeout}}
	defer c.http.CloseIdleConnections() // who stops that server does not wait for them
	var result Result
	for i, s := range samples {
		if err := c.load(ctx, s, &result); err != nil {
			return result, fmt.Errorf("seed: %w", err)
		}
		if cfg.Loaded != nil {
			cfg.Loaded(i+1, len(samples))
		}
	}
	return result, nil
}

type client struct {
	cfg  Config
	http *http.Client
}

func (c *client) load(ctx context.Context, s sample, result *Result) error {
	var want product
	if err := json.Unmarshal(s.Product, &want); err != nil {
		return err
	}
	res, err := c.send(ctx, http.MethodPost, "/v1/products", "seed-product-"+want.SKU, s.Product)
	if err != nil {
		return err
	}
	p := product{}
	switch {
	case res.status == http.StatusCreated:
		result.Created++
		if err := json.Unmarshal(res.body, &p); err != nil {
			return res.unexpected()
		}
	case res.status == http.StatusConflict && res.code() == "sku_exists":
		result.Existing++
		if p, err = c.find(ctx, want); err != nil {
			return err
		}
	default:
		return res.unexpected()
	}
	if s.Stock == 0 || p.ID == "" {
		return nil
	}

	body, err := json.Marshal(map[string]any{"delta": s.Stock, "reason": "sample stock"})
	if err != nil {
		return err
	}
	path := "/v1/products/" + url.PathEscape(p.ID) + "/inventory/adjustments"
	res, err = c.send(ctx, http.MethodPost, path, "seed-stock-"+want.SKU, body)
	if err != nil {
		return err
	}
	switch {
	case res.status == http.StatusCreated && res.header.Get("Idempotent-Replayed") == "":
		result.Pieces += s.Stock
	case res.status == http.StatusCreated:
	case res.status == http.StatusUnprocessableEntity:
		// The same key with another amount: loaded by an earlier version of the samples.
	default:
		return res.unexpected()
	}
	return nil
}

// find returns the product with the wanted SKU. If it has been moved or archived since, the ID is empty.
func (c *client) find(ctx context.Context, want product) (product, error) {
	query := url.Values{"category": {want.Category}, "status": {want.Status}, "limit": {"100"}}
	for {
		res, err := c.send(ctx, http.MethodGet, "/v1/staff/products?"+query.Encode(), "", nil)
		if err != nil {
			return product{}, err
		}
		var page struct {
			Data       []product `json:"data"`
			HasMore    bool      `json:"has_more"`
			NextCursor string    `json:"next_cursor"`
		}
		if res.status != http.StatusOK || json.Unmarshal(res.body, &page) != nil {
			return product{}, res.unexpected()
		}
		for _, p := range page.Data {
			if p.SKU == want.SKU {
				return p, nil
			}
		}
		if !page.HasMore {
			return product{}, nil
		}
		query.Set("cursor", page.NextCursor)
	}
}

type response struct {
	request string
	status  int
	header  http.Header
	body    []byte
}

// send sends a request, and repeats it when the API is busy: all of them may be repeated.
func (c *client) send(ctx context.Context, method, path, key string, body []byte) (response, error) {
	for attempt := 1; ; attempt++ {
		res, err := c.once(ctx, method, path, key, body)
		busy := res.status == http.StatusTooManyRequests || res.status == http.StatusServiceUnavailable
		if err != nil || !busy || attempt == attempts {
			return res, err
		}
		select {
		case <-ctx.Done():
			return res, ctx.Err()
		case <-time.After(time.Duration(attempt) * 250 * time.Millisecond):
		}
	}
}

func (c *client) once(ctx context.Context, method, path, key string, body []byte) (response, error) {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(c.cfg.URL, "/")+path, bytes.NewReader(body))
	if err != nil {
		return response{}, err
	}
	req.Header.Set("Authorization", "Bearer "+c.cfg.Token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	res, err := c.http.Do(req)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return response{}, fmt.Errorf("no API runs at %s: start one with `make run`, or set PORT", c.cfg.URL)
	}
	if err != nil {
		return response{}, err
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	if err != nil {
		return response{}, err
	}
	return response{request: method + " " + path, status: res.StatusCode, header: res.Header, body: data}, nil
}

// code returns the code of a problem document.
func (r response) code() string {
	var p struct {
		Code string `json:"code"`
	}
	_ = json.Unmarshal(r.body, &p) // no JSON, no code
	return p.Code
}

func (r response) unexpected() error {
	const most = 300
	text := strings.TrimSpace(string(r.body))
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "")
	}
	return fmt.Errorf("%s answered %d: %s", r.request, r.status, text)
}
