package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/tools/authroutes/table"
)

// operation is what a person types.
type operation struct{ Name, Resource, Method, Path, Auth, Rate string }

// sampleID is the value of a path parameter in events and tests.
const sampleID = "01JD7Q9W2V5K8N3M6P4R1S0T9X"

var parameter = regexp.MustCompile(`\{([a-z_]+)\}`)

// check reports everything that is wrong, or nil.
func (o operation) check(root string) error {
	var wrong []error
	refuse := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	if o.Auth != "required" && o.Auth != "public" {
		refuse("AUTH is %q: want required or public", o.Auth)
	}
	class, known := policy.ClassOf(api.Rate(o.Rate))
	switch {
	case o.Rate == "":
		refuse("RATE is empty: for %s without a token, say which class of rate limits (%s)", o.Method, strings.Join(rates(), ", "))
	case !known:
		refuse("RATE is %q: want one of %s", o.Rate, strings.Join(rates(), ", "))
	case o.Public() && class.User != nil:
		refuse("RATE is %s, which limits users: a public route has none", o.Rate)
	}
	route := api.Route{Name: o.Name, Method: o.Method, Path: o.Path, Auth: api.Public, Rate: api.Unlimited}
	if err := route.Validate(); err != nil {
		refuse("%w", err)
	}
	if slices.Contains([]string{http.MethodHead, http.MethodOptions}, o.Method) {
		refuse("METHOD is %s: the route of GET serves HEAD, and the gateway answers OPTIONS", o.Method)
	}
	if strings.Contains(o.Path, "+}") {
		refuse("ROUTE has a greedy parameter: write that route by hand")
	}
	if _, err := os.Stat(filepath.Join(root, "functions", o.Resource, "routes.go")); o.Resource == "" || err != nil {
		refuse("RESOURCE is %q: there is no functions/%s/routes.go", o.Resource, o.Resource)
	}
	for _, other := range table.Routes() {
		if other.Name == o.Name || other.Key() == o.key() {
			refuse("the route %s, %s, exists", other.Name, other.Key())
		}
	}
	return errors.Join(wrong...)
}

// rates returns the names of the classes of rate limits.
func rates() []string {
	var names []string
	for _, class := range policy.Classes() {
		names = append(names, string(class.Rate))
	}
	return names
}

// rate is the class of rate limits that was typed, or the one that method and auth suggest; empty if none does.
func (o operation) rate() string {
	rate := o.Rate
	switch reads := o.Method == http.MethodGet; {
	case rate != "":
	case o.Public() && reads:
		rate = string(policy.RatePublicRead)
	case o.Public():
	case reads:
		rate = string(policy.RateUserRead)
	default:
		rate = string(policy.RateUserWrite)
	}
	return rate
}

// Meta says that the route must answer without a database.
func (o operation) Meta() bool { return o.Rate == string(policy.RateMeta) }

// Door is the package through which the function starts.
func (o operation) Door() string {
	if o.Meta() {
		return "meta"
	}
	return "backend"
}

// GoRate is the class's constant in package policy: RatePublicRead.
func (o operation) GoRate() string { return "Rate" + title(o.Rate) }

func (o operation) key() string { return o.Method + " " + o.Path }

// file is the name in snake_case.
func (o operation) file() string { return strings.ReplaceAll(o.Name, "-", "_") }

// Title is the name in Go: CountProducts.
func (o operation) Title() string { return title(o.Name) }

// Summary is the name as a sentence: Count products.
func (o operation) Summary() string {
	return strings.ToUpper(o.Name[:1]) + strings.ReplaceAll(o.Name[1:], "-", " ")
}

// Lower is the name in Go for what is not exported: countProducts.
func (o operation) Lower() string { return strings.ToLower(o.Name[:1]) + o.Title()[1:] }

// ResourceTitle is the resource in the names of the template's resources: Catalog.
func (o operation) ResourceTitle() string { return title(o.Resource) }

// Public says that the route needs no token.
func (o operation) Public() bool { return o.Auth == "public" }

// Deletes says that the answer has no body.
func (o operation) Deletes() bool { return o.Method == http.MethodDelete }

// Status is that of the answer.
func (o operation) Status() int {
	if o.Deletes() {
		return http.StatusNoContent
	}
	return http.StatusOK
}

// Head says that the template needs an event for HEAD too.
func (o operation) Head() bool { return o.Public() && o.Method == http.MethodGet }

// GoMethod is the method as net/http names it: MethodGet.
func (o operation) GoMethod() string { return "Method" + title(strings.ToLower(o.Method)) }

// GoStatus is the status as net/http names it.
func (o operation) GoStatus() string {
	if o.Deletes() {
		return "StatusNoContent"
	}
	return "StatusOK"
}

// Parameters are the names of the path's parameters.
func (o operation) Parameters() []string {
	var names []string
	for _, m := range parameter.FindAllStringSubmatch(o.Path, -1) {
		names = append(names, m[1])
	}
	return names
}

// Field is a path parameter as a field of Go.
func (o operation) Field(name string) string {
	field := title(strings.ReplaceAll(name, "_", "-"))
	if start, ok := strings.CutSuffix(field, "Id"); ok {
		return start + "ID"
	}
	return field
}

// IsID says that a parameter is a ULID.
func (o operation) IsID(name string) bool { return name == "id" || strings.HasSuffix(name, "_id") }

// HasID says that the path has a parameter that is a ULID.
func (o operation) HasID() bool { return slices.ContainsFunc(o.Parameters(), o.IsID) }

// Reads says that the handler reads the request.
func (o operation) Reads() bool { return o.HasID() || len(o.Parameters()) > 0 && !o.Deletes() }

// Variable is a path parameter as a variable of Go.
func (o operation) Variable(name string) string {
	if name == "id" {
		return name
	}
	field := o.Field(name)
	return strings.ToLower(field[:1]) + field[1:]
}

// HasBody says that the method has a body.
func (o operation) HasBody() bool {
	return slices.Contains([]string{http.MethodPost, http.MethodPut, http.MethodPatch}, o.Method)
}

// Sample is the path with a value for each parameter.
func (o operation) Sample() string { return parameter.ReplaceAllString(o.Path, sampleID) }

// SampleID is the value of each parameter.
func (o operation) SampleID() string { return sampleID }

// QuotedPath is the path in YAML.
func (o operation) QuotedPath() string {
	if strings.Contains(o.Path, "{") {
		return "'" + o.Path + "'"
	}
	return o.Path
}

func title(kebab string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(kebab, "-") {
		if word != "" {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return b.String()
}
