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
	"regexp"
	"slices"
	"strings"
)

// Action is one action of a function on a table or an index, on one kind of item.
type Action struct {
	// Function is the function's name, "create-product".
	Function string
	// Name is the IAM action, "dynamodb:PutItem".
	Name string
	// Table is the table's name.
	Table string
	// Index is the index's name; empty is the table itself.
	Index string
	// Key is the kind of the partition keys, "PW#*": what is before the first # and an asterisk, or the whole
	// key when it has no #. It is empty on an index, and when the request has no partition key.
	Key string
}

// String is "login dynamodb:BatchGetItem auth PW#*" or "list-products dynamodb:Query commerce/index/GSI1".
func (a Action) String() string {
	s := a.Function + " " + a.Name + " " + a.Table
	if a.Index != "" {
		s += "/index/" + a.Index
	}
	if a.Key != "" {
		s += " " + a.Key
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

// attributes are those of an item or a key. Only strings are read: every partition key is one.
type attributes map[string]struct{ S string }

// target is a table or an index in a request, and the item.
type target struct {
	TableName string
	IndexName string

	Key, Item                 attributes
	KeyConditionExpression    string
	ExpressionAttributeNames  map[string]string
	ExpressionAttributeValues attributes
}

// equality is a comparison in a KeyConditionExpression.
var equality = regexp.MustCompile(`(#?\w+) = (:\w+)`)

// kind returns the kind of the target's partition key, whose attribute is PK.
func (t target) kind() string {
	const hash = "PK"
	if t.IndexName != "" {
		return ""
	}
	for _, from := range []attributes{t.Key, t.Item} {
		if key, ok := from[hash]; ok {
			return kindOf(key.S)
		}
	}
	for _, match := range equality.FindAllStringSubmatch(t.KeyConditionExpression, -1) {
		name := match[1]
		if full, ok := t.ExpressionAttributeNames[name]; ok {
			name = full
		}
		if name == hash {
			return kindOf(t.ExpressionAttributeValues[match[2]].S)
		}
	}
	return ""
}

func kindOf(key string) string {
	if before, _, ok := strings.Cut(key, "#"); ok {
		return before + "#*"
	}
	return key
}

// batch is a table's part of a batch.
type batch struct {
	Keys   []attributes // to read
	writes []map[string]target
}

// UnmarshalJSON implements json.Unmarshaler: a batch of reads is an object, one of writes a list.
func (b *batch) UnmarshalJSON(data []byte) error {
	if err := json.Unmarshal(data, &b.writes); err == nil {
		return nil
	}
	type plain batch
	return json.Unmarshal(data, (*plain)(b))
}

// kinds returns the kinds of the partition keys, each once; one empty one when there are none.
func (b *batch) kinds() []string {
	var all []string
	for _, key := range b.Keys {
		all = append(all, target{Key: key}.kind())
	}
	for _, write := range b.writes {
		for _, one := range write {
			all = append(all, one.kind())
		}
	}
	if len(all) == 0 {
		return []string{""}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// request is every field of a DynamoDB request that names a table, an index or an item.
type request struct {
	target
	RequestItems  map[string]*batch
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
	add := func(name string, on target, kind string) {
		all = append(all, Action{Function: function, Name: "dynamodb:" + name, Table: tableName(on.TableName), Index: on.IndexName, Key: kind})
	}
	switch {
	case len(in.TransactItems) > 0:
		for _, item := range in.TransactItems {
			for _, kind := range slices.Sorted(maps.Keys(item)) {
				add(itemAction(kind), item[kind], item[kind].kind())
			}
		}
	case len(in.RequestItems) > 0:
		for _, table := range slices.Sorted(maps.Keys(in.RequestItems)) {
			for _, kind := range in.RequestItems[table].kinds() {
				add(operation, target{TableName: table}, kind)
			}
		}
	default:
		add(operation, in.target, in.kind())
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
