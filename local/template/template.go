// Package template reads an AWS SAM template into a model of what the local API must serve: its
// functions and routes, its HTTP API with authorizers and CORS, its tables and its secrets.
//
// It resolves parameters, conditions, Globals and the intrinsic functions that such a template needs.
// What it cannot serve faithfully it refuses, by name and line, instead of leaving it out: a route
// that silently loses its authorizer is worse than one that does not start.
package template

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// Template is everything the local API serves, in the order of the file.
type Template struct {
	// Parameters holds the value of every parameter: the override, or else the default.
	Parameters map[string]string
	// API is the HTTP API. It is nil when the template has none.
	API *API
	// Functions are the functions whose condition holds.
	Functions []Function
	// Tables are the DynamoDB tables.
	Tables []Table
	// Secrets are the Secrets Manager secrets.
	Secrets []Secret
}

// Function returns the function with the logical id, and false when there is none.
func (t *Template) Function(logicalID string) (Function, bool) {
	i := slices.IndexFunc(t.Functions, func(f Function) bool { return f.LogicalID == logicalID })
	if i < 0 {
		return Function{}, false
	}
	return t.Functions[i], true
}

// Function is one Lambda function.
type Function struct {
	// LogicalID is its name in the template, "GetProductFunction".
	LogicalID string
	// Name is the last element of CodeURI, "get-product": the operation.
	Name string
	// CodeURI is the folder that holds the binary, as written.
	CodeURI string
	// Handler is the name of the binary in it.
	Handler string
	// Architecture is arm64 or x86_64.
	Architecture string
	// MemoryMB is the memory in MB; 128 when the template does not say.
	MemoryMB int
	// Timeout is how long one invocation may take; 3 s when the template does not say.
	Timeout time.Duration
	// ReservedConcurrency is the most environments at one time; nil is no limit.
	ReservedConcurrency *int
	// LogFormat is JSON or Text.
	LogFormat string
	// LogLevel is ApplicationLogLevel; empty when the template does not say.
	LogLevel string
	// Alias is the alias that routes invoke; empty is none.
	Alias string
	// Environment holds the variables with every reference resolved.
	Environment map[string]string
	// Role is the logical id of the role; empty when the template does not name one by !GetAtt.
	Role string
	// LogGroup is the logical id of the log group; empty when the template does not name one.
	LogGroup string
	// Routes are the function's routes on the HTTP API.
	Routes []Route
	// Line is where the function stands in the file.
	Line int
}

// Route is one route of the HTTP API.
type Route struct {
	// Method is upper case; ANY matches all. It is empty for the default route.
	Method string
	// Path is API Gateway's pattern, "/v1/products/{id}". It is empty for the default route.
	Path string
	// Authorizer names the API's authorizer; empty is a public route.
	Authorizer string
	// Timeout is the integration's own limit; 0 is the gateway's.
	Timeout time.Duration
	// Line is where the route stands in the file.
	Line int
}

// Key is API Gateway's name for the route: "GET /v1/products/{id}" or "$default".
func (r Route) Key() string {
	if r.Path == "" {
		return "$default"
	}
	return r.Method + " " + r.Path
}

// API is the HTTP API.
type API struct {
	// LogicalID is its name in the template.
	LogicalID string
	// Stage is the stage's name; "$default" adds no prefix to paths.
	Stage string
	// CORS is nil when the API does not answer preflight requests.
	CORS *CORS
	// Authorizers are the Lambda authorizers.
	Authorizers []Authorizer
	// ThrottleRate is the accepted requests per second; 0 is no limit.
	ThrottleRate float64
	// ThrottleBurst is the most requests accepted at once; 0 is no limit.
	ThrottleBurst int
	// Line is where the API stands in the file.
	Line int
}

// Authorizer returns the authorizer with the name, and false when there is none.
func (a *API) Authorizer(name string) (Authorizer, bool) {
	i := slices.IndexFunc(a.Authorizers, func(z Authorizer) bool { return z.Name == name })
	if i < 0 {
		return Authorizer{}, false
	}
	return a.Authorizers[i], true
}

// CORS is the API's CorsConfiguration.
type CORS struct {
	AllowOrigins     []string
	AllowMethods     []string
	AllowHeaders     []string
	ExposeHeaders    []string
	AllowCredentials bool
	// MaxAge is how long a browser may keep a preflight answer; 0 leaves the header out.
	MaxAge time.Duration
}

// Authorizer is a Lambda authorizer of the API.
type Authorizer struct {
	// Name is what routes call it.
	Name string
	// Function is the logical id of its function.
	Function string
	// PayloadVersion is "1.0" or "2.0".
	PayloadVersion string
	// SimpleResponses says that it answers isAuthorized instead of an IAM policy.
	SimpleResponses bool
	// IdentitySources are expressions such as "$request.header.Authorization". A request that lacks
	// one is refused with 401 before the function runs.
	IdentitySources []string
	// TTL is how long a result may be reused; 0 is never. Without identity sources it is 0.
	TTL time.Duration
	// Line is where the authorizer stands in the file.
	Line int
}

// Table is a DynamoDB table.
type Table struct {
	LogicalID string
	// Name is the name it has on this machine.
	Name string
	// HashKey and RangeKey are attribute names; RangeKey may be empty.
	HashKey, RangeKey string
	// Attributes maps every key attribute to S, N or B.
	Attributes map[string]string
	// Indexes are the global and local secondary indexes.
	Indexes []Index
	// TTLAttribute holds the expiry in seconds since the epoch; empty is no TTL.
	TTLAttribute string
	// StreamView is the stream's view type; empty is no stream.
	StreamView string
	// Line is where the table stands in the file.
	Line int
}

// Index is a secondary index of a table.
type Index struct {
	Name              string
	HashKey, RangeKey string
	// Local says that the index shares the table's hash key.
	Local bool
	// Projection is ALL, KEYS_ONLY or INCLUDE.
	Projection string
	// Include are the attributes that INCLUDE adds.
	Include []string
}

// Secret is a Secrets Manager secret whose value is generated.
type Secret struct {
	LogicalID string
	// Name is what a reference to it resolves to on this machine.
	Name string
	// Template is the JSON object that the generated key is added to; empty is none.
	Template string
	// Key is the member of Template that takes the generated value.
	Key string
	// Length is the number of generated characters; 32 when the template does not say.
	Length int
	// Line is where the secret stands in the file.
	Line int
}

// Options say what the template's names mean on this machine.
type Options struct {
	// Parameters override defaults. An unknown name, a value outside AllowedValues or against
	// AllowedPattern is an error.
	Parameters map[string]string
	// Defaults replace the defaults of the parameters that the template has; others are left out.
	Defaults map[string]string
	// Ref returns the physical name of a table or secret: what !Ref of it yields. Nil, or an empty
	// answer, is the logical id.
	Ref func(resourceType, logicalID string) string
	// Region, AccountID and StackName are the pseudo parameters. Empty is us-east-1, 123456789012
	// and local.
	Region, AccountID, StackName string
}

// Problem is one thing that the template says and this machine cannot serve.
type Problem struct {
	// File is the template's path.
	File string
	// Line is where it says so.
	Line int
	// Detail is one sentence without a full stop.
	Detail string
}

// Error is "template.yaml:12: ...".
func (p *Problem) Error() string { return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Detail) }

// ReadFile reads the template at path. Its error joins one *Problem per refusal, in the order of the
// file.
func ReadFile(path string, opts Options) (*Template, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("template: %w", err)
	}
	return Read(path, data, opts)
}

// Read reads a template from data; file is its name in errors.
func Read(file string, data []byte, opts Options) (*Template, error) {
	if opts.Region == "" {
		opts.Region = "us-east-1"
	}
	if opts.AccountID == "" {
		opts.AccountID = "123456789012"
	}
	if opts.StackName == "" {
		opts.StackName = "local"
	}

	root, err := parse(file, data)
	if err != nil {
		return nil, err
	}
	r := &reader{file: file, opts: opts, root: root, conditions: map[string]bool{}}
	t := r.template()
	if len(r.problems) == 0 {
		return t, nil
	}

	slices.SortStableFunc(r.problems, func(a, b *Problem) int { return a.Line - b.Line })
	errs := make([]error, 0, len(r.problems))
	for _, p := range r.problems {
		errs = append(errs, p)
	}
	return nil, errors.Join(errs...)
}

// lastElement is the last element of a path.
func lastElement(uri string) string {
	uri = strings.TrimRight(uri, "/")
	return uri[strings.LastIndex(uri, "/")+1:]
}
