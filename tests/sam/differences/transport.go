package differences

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	headerRequestID = "X-Request-Id"
	// idPlaceholder is the placeholder of the request id in bodies.
	idPlaceholder = "<request id>"
	// maxGateway is the largest body that API Gateway accepts, in bytes.
	maxGateway = 10 << 20
)

// Transport passes requests on, and returns API Gateway's answer where SAM is known to differ. Routes are
// the API's route keys.
func (l *List) Transport(base http.RoundTripper, routes []string) http.RoundTripper {
	return &transport{list: l, base: base, paths: paths(routes)}
}

type transport struct {
	list  *List
	base  http.RoundTripper
	paths [][]string
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	request, r, err := t.describe(r)
	if err != nil {
		return nil, err
	}
	res, err := t.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	e := t.list.find(request)
	if e == nil {
		return res, nil
	}
	body, err := io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		return nil, err
	}
	a := t.list.settle(e, answer{res: res, body: body})
	res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(a.body)), int64(len(a.body))
	return res, nil
}

// CloseIdleConnections closes those of the underlying transport.
func (t *transport) CloseIdleConnections() {
	if c, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// describe returns the identity of the request, and the request with a body that can be read again.
func (t *transport) describe(r *http.Request) (Request, *http.Request, error) {
	described := Request{Route: r.Method + " " + t.route(r.URL.EscapedPath()), Token: none, Origin: none, Body: bodyText}
	if r.Header.Get("Authorization") != "" {
		described.Token = sent
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		described.Origin = origin
	}
	if r.Body == nil || r.Body == http.NoBody {
		return described, r, nil
	}
	body, err := io.ReadAll(r.Body)
	if err := errors.Join(err, r.Body.Close()); err != nil {
		return described, nil, err
	}
	switch {
	case len(body) > maxGateway:
		described.Body = oversized
	case !utf8.Valid(body):
		described.Body = binary
	}
	r = r.Clone(r.Context()) // with its length, or without one
	r.Body = io.NopCloser(bytes.NewReader(body))
	return described, r, nil
}

// paths are the routes' paths by segments, literal ones before variables.
func paths(routes []string) [][]string {
	var all [][]string
	for _, key := range routes {
		if _, path, ok := strings.Cut(key, " "); ok {
			all = append(all, strings.Split(path, "/"))
		}
	}
	slices.SortFunc(all, func(a, b []string) int {
		return strings.Count(strings.Join(a, "/"), "{") - strings.Count(strings.Join(b, "/"), "{")
	})
	return all
}

// route returns the path of the route that has the path, or the path itself.
func (t *transport) route(path string) string {
	segments := strings.Split(path, "/")
	for _, pattern := range t.paths {
		if len(pattern) != len(segments) {
			continue
		}
		fits := true
		for i, segment := range pattern {
			variable := strings.HasPrefix(segment, "{") && segments[i] != ""
			fits = fits && (variable || segment == segments[i])
		}
		if fits {
			return strings.Join(pattern, "/")
		}
	}
	return path
}

// answer is a response with its body.
type answer struct {
	res  *http.Response
	body []byte
}

func (a *answer) get(f Field) *string {
	var value string
	switch name, isHeader := f.header(); {
	case isHeader:
		values := a.res.Header.Values(name)
		if len(values) == 0 {
			return nil
		}
		value = strings.Join(values, " | ")
	case f == "status":
		value = strconv.Itoa(a.res.StatusCode)
	default:
		value = string(a.body)
		if id := a.res.Header.Get(headerRequestID); id != "" {
			value = strings.ReplaceAll(value, id, idPlaceholder)
		}
	}
	return &value
}

func (a *answer) set(f Field, value *string) {
	text := ""
	if value != nil {
		text = *value
	}
	switch name, isHeader := f.header(); {
	case isHeader && value == nil:
		a.res.Header.Del(name)
	case isHeader:
		a.res.Header.Set(name, text)
	case f == "status":
		status, err := strconv.Atoi(text)
		if err != nil {
			a.res.StatusCode = 0 // which no test takes for an answer
			return
		}
		a.res.StatusCode, a.res.Status = status, text+" "+http.StatusText(status)
	default:
		a.body = []byte(strings.ReplaceAll(text, idPlaceholder, a.res.Header.Get(headerRequestID)))
		a.res.Header.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
}
