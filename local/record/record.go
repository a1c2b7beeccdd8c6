// Package record reports what each local function asks of DynamoDB, in IAM's terms: a proxy between the
// functions and the engine passes every request on unchanged, and reports the actions that a role would
// have to allow.
package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
)

// Action is one action of a function on a table or an index.
type Action struct {
	// Function is the function's name, "create-product".
	Function string
	// Name is the IAM action, "dynamodb:PutItem".
	Name string
	// Table is the table's name.
	Table string
	// Index is the index's name; empty is the table itself.
	Index string
}

// String is "create-product dynamodb:Query commerce/index/GSI1".
func (a Action) String() string {
	s := a.Function + " " + a.Name + " " + a.Table
	if a.Index != "" {
		s += "/index/" + a.Index
	}
	return s
}

// maxBody is more than DynamoDB accepts, in bytes.
const maxBody = 32 << 20

// Proxy is an http.Handler that passes /<function>/… on to a DynamoDB.
type Proxy struct {
	forward *httputil.ReverseProxy
	see     func(Action)
}

// New returns a proxy to the endpoint. It calls see for every action before it passes the request
// on, from many goroutines.
func New(endpoint string, see func(Action)) (*Proxy, error) {
	target, err := url.Parse(endpoint)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	// A pool of its own: closing it ends the connections.
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	return &Proxy{
		see: see,
		forward: &httputil.ReverseProxy{
			Transport: transport,
			Rewrite: func(r *httputil.ProxyRequest) {
				r.SetURL(target)
				r.Out.URL.Path, r.Out.URL.RawPath = "/", ""
				r.Out.Host = target.Host
			},
			ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
				w.WriteHeader(http.StatusBadGateway)
			},
		},
	}, nil
}

// Endpoint returns the endpoint for a function, by which the proxy recognises it. base is the proxy's URL
// without a slash at the end.
func Endpoint(base, function string) string { return base + "/" + function }

// ServeHTTP implements http.Handler.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	function, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for _, action := range Actions(function, r.Header.Get("X-Amz-Target"), body) {
		p.see(action)
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	p.forward.ServeHTTP(w, r)
}

// Close ends the idle connections to DynamoDB.
func (p *Proxy) Close() {
	p.forward.Transport.(*http.Transport).CloseIdleConnections()
}

// target is a table or an index in a request.
type target struct {
	TableName string
	IndexName string
}

// request is every field of a DynamoDB request that names a table or an index.
type request struct {
	target
	RequestItems  map[string]json.RawMessage
	TransactItems []map[string]target
}

// Actions lists the actions of one request: header is X-Amz-Target, "DynamoDB_20120810.PutItem". A
// transaction needs the action of each of its items, a batch its own on every table. A request that cannot
// be read, or has no table, is its operation on the table "".
func Actions(function, header string, body []byte) []Action {
	_, operation, _ := strings.Cut(header, ".")
	var in request
	if err := json.Unmarshal(body, &in); err != nil {
		in = request{}
	}

	var all []Action
	add := func(name string, on target) {
		all = append(all, Action{Function: function, Name: "dynamodb:" + name, Table: tableName(on.TableName), Index: on.IndexName})
	}
	switch {
	case len(in.TransactItems) > 0:
		for _, item := range in.TransactItems {
			for _, kind := range slices.Sorted(maps.Keys(item)) {
				add(itemAction(kind), item[kind])
			}
		}
	case len(in.RequestItems) > 0:
		for _, table := range slices.Sorted(maps.Keys(in.RequestItems)) {
			add(operation, target{TableName: table})
		}
	default:
		add(operation, in.target)
	}
	return all
}

// itemAction returns the action that an item of a transaction needs.
func itemAction(kind string) string {
	if kind == "ConditionCheck" {
		return "ConditionCheckItem"
	}
	return kind + "Item" // Put, Update, Delete, Get
}

// tableName returns a table's name from its name or ARN.
func tableName(s string) string {
	if _, name, ok := strings.Cut(s, ":table/"); ok {
		return name
	}
	return s
}
