// Package conform holds what passed between a client and the API against the API's OpenAPI document.
package conform

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	faults "github.com/pb33f/libopenapi-validator/errors"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"
)

// Document holds an exchange against an OpenAPI document. It is safe for concurrent use. It returns what the document
// does not allow: a request that was served although it breaks a rule, and an answer with an undocumented status,
// header or member. The error names the operation.
//
// It is a function, so that what imports this package does not import the types of the validator, which take half a
// minute to compile.
type Document func(Exchange) error

// document is what a Document reads.
type document struct {
	model    *v3.Document
	requests validator.Validator
	answers  validator.Validator
}

// Read reads a document.
func Read(path string) (Document, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return New(text)
}

// New returns the document of a text.
func New(text []byte) (Document, error) {
	parsed, err := libopenapi.NewDocument(text)
	if err != nil {
		return nil, fmt.Errorf("read document: %w", err)
	}
	model, err := parsed.BuildV3Model()
	if err != nil {
		return nil, fmt.Errorf("read document: %w", err)
	}
	d := &document{
		model:    &model.Model,
		requests: validator.NewValidatorFromV3Model(&model.Model, config.WithURLEncodedBodyValidation()),
		answers: validator.NewValidatorFromV3Model(&model.Model,
			config.WithStrictMode(), config.WithStrictIgnoredHeaders(undocumented()...), config.WithFormatAssertions()),
	}
	return d.check, nil
}

// undocumented are the headers of answers that the document does not list: those of every HTTP message, those that
// API Gateway adds, and the security headers, which every answer of a function has and the suite checks.
func undocumented() []string {
	return []string{
		"Connection", "Content-Length", "Content-Type", "Date", "Server", "Apigw-Requestid",
		"Access-Control-Allow-Credentials", "Access-Control-Allow-Headers", "Access-Control-Allow-Methods",
		"Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Access-Control-Max-Age",
		"Content-Security-Policy", "Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy", "Permissions-Policy",
		"Referrer-Policy", "Strict-Transport-Security", "X-Content-Type-Options", "X-Frame-Options",
		"X-Permitted-Cross-Domain-Policies",
	}
}

// publishes is the operation whose answer is an OpenAPI document: an object of any members, which strict mode
// refuses.
const publishes = "getOpenapi"

// codeNoRoute is the code of the default route.
const codeNoRoute = "route_not_found"

// Exchange is a request and its answer.
type Exchange struct {
	Request *http.Request
	// Sent is the request's body.
	Sent []byte
	// Status, Header and Body are the answer's.
	Status int
	Header http.Header
	Body   []byte
}

func (d *document) check(e Exchange) error {
	if e.Request.Method == http.MethodOptions {
		return nil // API Gateway answers for CORS
	}
	operation := d.operation(e)
	if e.byTheDefaultRoute() {
		return nil
	}
	if operation == nil {
		return e.unknown()
	}
	body, err := e.decoded()
	if err != nil {
		return fmt.Errorf("operation %s: %w", operation.OperationId, err)
	}
	wrong := e.shape(operation)
	if e.Status < http.StatusBadRequest { // query parameters that the document does not have are ignored
		_, broken := d.requests.ValidateHttpRequestSync(e.request())
		wrong = append(wrong, describe("the request was served, but", broken)...)
	}
	answer := &http.Response{
		StatusCode: e.Status, Header: e.Header, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: e.Request,
	}
	strict := d.answers
	if operation.OperationId == publishes {
		strict = d.requests
	}
	_, broken := strict.ValidateHttpResponse(e.request(), answer)
	broken = slices.DeleteFunc(broken, ofMap)
	wrong = append(wrong, describe(fmt.Sprintf("the answer %d:", e.Status), broken)...)
	if len(wrong) == 0 {
		return nil
	}
	return fmt.Errorf("operation %s: %w", operation.OperationId, errors.Join(wrong...))
}

// byTheDefaultRoute reports whether the route of everything that no route matches has answered, as the document's
// description says: / names the documentation, and a segment may end at an encoded slash or question mark.
func (e Exchange) byTheDefaultRoute() bool {
	path := e.Request.URL.EscapedPath()
	return path == "/" && e.Status == http.StatusOK ||
		strings.Contains(path, "%") && e.Status == http.StatusNotFound && bytes.Contains(e.Body, []byte(`"code":"`+codeNoRoute+`"`))
}

// decoded returns the answer's body without its content coding.
func (e Exchange) decoded() ([]byte, error) {
	if e.Header.Get("Content-Encoding") != "gzip" || len(e.Body) == 0 {
		return e.Body, nil
	}
	reader, err := gzip.NewReader(bytes.NewReader(e.Body))
	if err != nil {
		return nil, fmt.Errorf("the body is not gzip: %w", err)
	}
	return io.ReadAll(reader)
}

// request returns the request with its body.
func (e Exchange) request() *http.Request {
	r := e.Request.Clone(e.Request.Context())
	r.URL.RawQuery = strings.ReplaceAll(r.URL.RawQuery, ";", "%3B") // net/url refuses parameters with a semicolon
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(e.Sent)), int64(len(e.Sent))
	if len(e.Sent) == 0 {
		r.Body = http.NoBody
	}
	return r
}

// operation returns the operation of the request, or nil if the document has none for it.
func (d *document) operation(e Exchange) *v3.Operation {
	path := strings.Split(strings.TrimPrefix(e.Request.URL.EscapedPath(), "/"), "/")
	var best *v3.Operation
	for template, item := range d.model.Paths.PathItems.FromOldest() {
		segments := strings.Split(strings.TrimPrefix(template, "/"), "/")
		operation, ok := item.GetOperations().Get(strings.ToLower(e.Request.Method))
		if !ok || !matches(segments, path) {
			continue
		}
		if best == nil || !strings.Contains(template, "{") {
			best = operation
		}
	}
	return best
}

func matches(template, path []string) bool {
	if len(template) != len(path) {
		return false
	}
	for i, segment := range template {
		if segment != path[i] && (!strings.HasPrefix(segment, "{") || path[i] == "") {
			return false
		}
	}
	return true
}

func describe(what string, broken []*faults.ValidationError) []error {
	var all []error
	for _, b := range broken {
		text := []string{b.Message}
		if b.Reason != "" && b.Reason != b.Message {
			text = append(text, b.Reason)
		}
		for _, s := range b.SchemaValidationErrors {
			text = append(text, fmt.Sprintf("at %q: %s", s.FieldPath, s.Reason))
		}
		all = append(all, fmt.Errorf("%s %s", what, strings.Join(text, "; ")))
	}
	return all
}
