// Package openapi describes the operations of the API as Go values and builds their OpenAPI 3.1 document. Only
// files with the build tag openapi and the generator use it: no function links it.
//
// What the code knows is not repeated: schemas come from the types by reflection, their texts from the comments of
// the types, limits from the constants that Validate uses, and policy from api.Route.
package openapi

import (
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/problem"
)

// Resource is a group of operations: a folder of functions.
type Resource struct {
	// Name is the folder, and the tag of the operations.
	Name string
	// Description is one or two sentences about the resource.
	Description string
	// Schemas are the types with a name and rules of their own.
	Schemas []Schema
	// Operations are in the order of the document.
	Operations []Operation
}

// Operation is one route as its clients see it.
type Operation struct {
	// Route is the policy: security, roles, body limit, rate class.
	Route api.Route
	// Summary is a short imperative sentence without a full stop.
	Summary string
	// Description is what the summary and the schemas do not say; may be empty.
	Description string
	// Parameters are those of the path, the query and the request's headers.
	Parameters []Parameter
	// Body is a value of the request's type; nil if the operation reads no body.
	Body any
	// BodyType is the body's media type; empty is application/json.
	BodyType string
	// Responses are the answers of success.
	Responses []Response
	// Problems are the errors that only this operation knows. The builder adds those of the route's policy and of
	// its body.
	Problems []*problem.Error
}

// Parameter is one parameter of a request.
type Parameter struct {
	// In is Path, Query or Header.
	In          string
	Name        string
	Description string
	Required    bool
	// Rules are what values must keep.
	Rules Rules
	// Example is a valid value; nil for none.
	Example any
}

// The places of a parameter.
const (
	Path   = "path"
	Query  = "query"
	Header = "header"
)

// Response is one answer of success.
type Response struct {
	Status      int
	Description string
	// Body is a value of the answer's type; nil if it has no body.
	Body any
	// Types are the body's media types; empty is application/json.
	Types []string
	// Or is a value of the other type that the answer may have; nil if it has one type.
	Or any
	// Headers are those that are not on every answer.
	Headers []ResponseHeader
	// Example is whether events/expected has the answer of the operation's sample event with this status.
	Example bool
	// ExampleOf is the name of another operation whose expected answer is the example; empty is this one.
	ExampleOf string
}

// ResponseHeader is one header of an answer.
type ResponseHeader struct {
	Name        string
	Description string
	Rules       Rules
	// Optional is whether some answers do not have it.
	Optional bool
}

// Rules are the constraints of a value, in the words of JSON Schema. The zero value is any string.
type Rules struct {
	// Type is string if empty.
	Type string
	// Format is an annotation: date-time, email, password.
	Format string
	// MinLength and MaxLength are in characters; 0 is none.
	MinLength, MaxLength int
	// Pattern is a regular expression of ECMA-262 and RE2; empty is none.
	Pattern string
	// Enum are all of the values; nil is no limit.
	Enum []any
	// Not are values that are refused.
	Not []any
	// Minimum and Maximum are inclusive; nil is none.
	Minimum, Maximum *int64
	// MinItems and MaxItems count entries of a list or members of an object; 0 is none.
	MinItems, MaxItems int
	// Items are the rules of a list's entries or of an object's values.
	Items *Rules
	// Names are the rules of an object's member names.
	Names *Rules
	// Default is the value of an absent member; nil is none.
	Default any
	// Nullable is whether null is a value.
	Nullable bool
}

// Between returns the rules of an integer.
func Between(minimum, maximum int64) Rules {
	return Rules{Type: "integer", Minimum: &minimum, Maximum: &maximum}
}

// OneOf returns the rules of a value that is one of a few.
func OneOf[T ~string](values ...T) Rules {
	var rules Rules
	for _, v := range values {
		rules.Enum = append(rules.Enum, string(v))
	}
	return rules
}

// Schema is a type of requests or answers.
type Schema struct {
	// Name is the schema's name in the document.
	Name string
	// Value is a value of the type.
	Value any
	// Required are the members that a request must have. The members of an answer are all required, unless their
	// tags say omitempty.
	Required []string
	// Open is whether a request may have other members, which are ignored: those of OAuth's forms (RFC 6749
	// section 3.2).
	Open bool
	// Members are the rules of members, by their JSON names.
	Members map[string]Rules
}
