// Package template reads an AWS SAM template into a model of what the local API must serve: its
// functions with their routes, event sources and schedules, its HTTP API with authorizers and CORS, its tables,
// its queues and its secrets.
//
// It resolves parameters, conditions, Globals and the intrinsic functions that template.yaml uses. What
// it does not support it refuses, by name and line, instead of leaving it out: a route that loses its
// authorizer unnoticed is worse than an API that does not start.
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
	// Queues are the SQS queues.
	Queues []Queue
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
	// Line is the function's line in the file.
	Line int
	// Name is the last element of CodeURI, "get-product": the operation.
	Name string
	// CodeURI is the folder that holds the binary, as written.
	CodeURI string
	// Handler is the name of the binary in it.
	Handler string
	// MemoryMB is the memory in MB, 128 by default.
	MemoryMB int
	// Timeout is how long one invocation may take, 3 s by default.
	Timeout time.Duration
	// ReservedConcurrency is the most environments at one time; nil is no limit.
	ReservedConcurrency *int
	// LogGroup is the logical id of the log group; empty when the template names none by !Ref.
	LogGroup string
	// LogLevel is ApplicationLogLevel; empty when the template sets none.
	LogLevel string
	// Alias is the alias that routes invoke; empty is none.
	Alias string
	// Environment holds the variables with every reference resolved.
	Environment map[string]string
	// Role is the logical id of the role; empty when the template does not name one by !GetAtt.
	Role string
	// Routes are the function's routes on the HTTP API.
	Routes []Route
	// Sources are the streams and queues that invoke the function with batches.
	Sources []Source
	// Schedules invoke the function at times.
	Schedules []Schedule
	// Async is what happens to invocations by Schedules that fail.
	Async Async
}

// Route is one route of the HTTP API.
type Route struct {
	// Method is upper case; ANY matches all. It is empty for the default route.
	Method string
	// Path is API Gateway's pattern, "/v1/products/{id}". It is empty for the default route.
	Path string
	// Authorizer names the API's authorizer; empty is a public route.
	Authorizer string

	line int
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
	// CORS is nil when the API does not answer preflight requests.
	CORS *CORS
	// Authorizers are the Lambda authorizers.
	Authorizers []Authorizer
	// Throttle limits all routes together that have no limit of their own. Nil sets no limit.
	Throttle *Throttle
	// RouteThrottles are the limits of single routes.
	RouteThrottles []RouteThrottle
}

// Throttle is a limit of requests.
type Throttle struct {
	// Rate is the accepted requests per second.
	Rate float64
	// Burst is the most requests accepted at once.
	Burst int
}

// RouteThrottle is the limit of one route, which replaces that of the stage.
type RouteThrottle struct {
	Throttle
	// Key is the route's key, as Route.Key returns it.
	Key string

	line int
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

// Authorizer is a Lambda authorizer of the API, with payload format 2.0 and simple responses.
type Authorizer struct {
	// Name is the name that routes use.
	Name string
	// Function is the logical id of its function.
	Function string
	// IdentitySources are expressions such as "$request.header.Authorization". A request that lacks
	// one is refused with 401 before the function runs.
	IdentitySources []string
	// TTL is how long a result may be reused; 0 is never. Without identity sources it is 0.
	TTL time.Duration

	line int
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
	// Indexes are the global secondary indexes.
	Indexes []Index
	// TTLAttribute holds the expiry in seconds since the epoch; empty is no TTL.
	TTLAttribute string
	// StreamView is the stream's view type; empty is no stream.
	StreamView string
}

// Index is a global secondary index of a table.
type Index struct {
	Name              string
	HashKey, RangeKey string
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
	// Length is the number of generated characters, 32 by default.
	Length int
}

// What the pseudo parameters AWS::Region, AWS::AccountId and AWS::StackName yield.
const (
	region    = "us-east-1"
	accountID = "123456789012"
	stackName = "local"
)

// Options set what the template's names mean on this machine.
type Options struct {
	// Parameters override defaults. An unknown name, a value outside AllowedValues or against
	// AllowedPattern is an error.
	Parameters map[string]string
	// Defaults replace the defaults of the parameters that the template has; others are left out.
	Defaults map[string]string
	// Ref returns what !Ref of a table or secret yields. Nil, or an empty result, is the logical id.
	Ref func(resourceType, logicalID string) string
}

// Problem is one thing in the template that this machine cannot serve.
type Problem struct {
	// File is the template's path.
	File string
	// Line is its line in the file.
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
