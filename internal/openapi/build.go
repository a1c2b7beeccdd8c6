package openapi

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/swaggest/jsonschema-go"
	"github.com/swaggest/openapi-go/openapi31"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/problem"
)

// Source is what a document is built from.
type Source struct {
	// Root is the repository's folder, which has the comments and the examples.
	Root string
	// Title, Description and Version describe the API.
	Title, Description, Version string
	// Server is the URL of an API that serves the document.
	Server string
	// Resources are in the order of the document.
	Resources []Resource
}

const (
	bearerScheme  = "bearer"
	problemSchema = "Problem"
	gatewaySchema = "GatewayMessage"
)

// Build returns the document, or an error that names everything that contradicts itself.
func Build(src Source) (*openapi31.Spec, error) {
	types, err := named(append([]Resource{{Schemas: []Schema{problemDocument(), gatewayMessage(), moneySchema(), addressSchema()}}}, src.Resources...))
	if err != nil {
		return nil, err
	}
	b := builder{
		root: src.Root,
		schemas: schemas{
			named: types, found: map[string]map[string]any{}, patches: map[string]jsonschema.Schema{},
			comments: comments{root: src.Root, packages: map[string]map[string]string{}},
		},
		spec: &openapi31.Spec{Openapi: "3.1.1"},
	}
	b.spec.Info.WithTitle(src.Title).WithDescription(src.Description).WithVersion(src.Version).
		WithLicense(*(&openapi31.License{}).WithName("Apache-2.0").WithIdentifier("Apache-2.0"))
	b.spec.WithServers(*(&openapi31.Server{}).WithURL(src.Server))
	b.schemas.of(problemDocument().Value)
	b.schemas.of(gatewayMessage().Value)
	var wrong []error
	for _, resource := range src.Resources {
		b.spec.Tags = append(b.spec.Tags, *(&openapi31.Tag{}).WithName(resource.Name).WithDescription(resource.Description))
		for _, operation := range resource.Operations {
			if err := b.add(resource.Name, operation); err != nil {
				wrong = append(wrong, fmt.Errorf("%s: %w", operation.Route.Name, err))
			}
		}
	}
	components := b.spec.ComponentsEns()
	components.WithSchemas(b.schemas.all())
	components.WithSecuritySchemesItem(bearerScheme, bearer())
	return b.spec, errors.Join(append(wrong, b.schemas.wrong...)...)
}

func bearer() openapi31.SecuritySchemeOrReference {
	scheme := (&openapi31.SecuritySchemeHTTPBearer{}).WithScheme("bearer").WithBearerFormat("JWT")
	return openapi31.SecuritySchemeOrReference{SecurityScheme: (&openapi31.SecurityScheme{}).
		WithHTTPBearer(*scheme).WithDescription("An access token (RFC 6750) that /v1/auth/login answers.")}
}

type builder struct {
	root    string
	schemas schemas
	spec    *openapi31.Spec
}

// ID returns the operationId of a route: its name in camelCase.
func ID(route api.Route) string {
	words := strings.Split(route.Name, "-")
	for i, word := range words[1:] {
		words[i+1] = strings.ToUpper(word[:1]) + word[1:]
	}
	return strings.Join(words, "")
}

func (b *builder) add(tag string, o Operation) error {
	op := openapi31.Operation{}
	op.WithID(ID(o.Route)).WithSummary(o.Summary).WithTags(tag)
	if text := describe(o); text != "" {
		op.WithDescription(text)
	}
	if o.Route.Auth == api.Required {
		op.WithSecurity(map[string][]string{bearerScheme: {}})
	} else {
		op.Security = []map[string][]string{{}}
	}
	if len(o.Route.Roles) > 0 {
		op.WithMapOfAnythingItem("x-roles", o.Route.Roles)
	}
	if _, known := policy.ClassOf(o.Route.Rate); known {
		op.WithMapOfAnythingItem("x-rate-class", string(o.Route.Rate))
	} else if o.Route.Rate != api.Unlimited {
		return fmt.Errorf("unknown rate class %q", o.Route.Rate)
	}
	if err := b.parameters(&op, o); err != nil {
		return err
	}
	if o.Body != nil {
		content := b.bodyContent(o)
		body := (&openapi31.RequestBody{}).WithRequired(true).WithContentItem(bodyType(o), content)
		if bodyType(o) == api.ContentTypeMergePatch { // api.Decode takes both
			body.WithContentItem(api.ContentTypeJSON, content)
		}
		op.RequestBodyEns().RequestBody = body
	}
	if err := b.responses(&op, o); err != nil {
		return err
	}
	for _, key := range o.Route.Keys() {
		method, path, _ := strings.Cut(key, " ")
		served := op
		if method == http.MethodHead && o.Route.Method != method {
			served = headOnly(op)
		}
		if err := b.spec.AddOperation(method, path, served); err != nil {
			return err
		}
	}
	return nil
}

// headOnly returns the operation as it answers HEAD: with the same status and headers, and without content
// (RFC 9110 section 9.3.2).
func headOnly(op openapi31.Operation) openapi31.Operation {
	id := *op.ID
	op.WithID("head" + strings.ToUpper(id[:1]) + id[1:])
	op.WithSummary(*op.Summary + ": the headers alone")
	answers := openapi31.Responses{}
	for status, answer := range op.Responses.MapOfResponseOrReferenceValues {
		if answer.Response != nil {
			bare := *answer.Response
			bare.Content = nil
			answer.Response = &bare
		}
		answers.WithMapOfResponseOrReferenceValuesItem(status, answer)
	}
	op.Responses = &answers
	return op
}

// describe returns the operation's own description, and what its policy asks of a caller.
func describe(o Operation) string {
	text := o.Description
	if len(o.Route.Roles) > 0 {
		text += "\n\nThe caller needs one of the roles: `" + strings.Join(o.Route.Roles, "`, `") + "`."
	}
	if o.Route.MaxAuthAge > 0 {
		text += fmt.Sprintf("\n\nThe caller's login must be at most %d minutes old.", int(o.Route.MaxAuthAge.Minutes()))
	}
	if limits := limitText(o.Route.Rate); limits != "" {
		text += "\n\n" + limits
	}
	if o.Body != nil {
		text += fmt.Sprintf("\n\nThe body has at most %d bytes.", o.Route.BodyLimit())
	}
	return strings.TrimSpace(text)
}

func bodyType(o Operation) string {
	if o.BodyType != "" {
		return o.BodyType
	}
	return api.ContentTypeJSON
}

func (b *builder) bodyContent(o Operation) openapi31.MediaType {
	content := openapi31.MediaType{}
	content.WithSchema(b.schemas.of(o.Body))
	if example, err := requestExample(b.root, o.Route.Name, bodyType(o)); err != nil {
		b.schemas.refuse("%s: %w", o.Route.Name, err)
	} else {
		content.WithExample(example)
	}
	return content
}

func (b *builder) parameters(op *openapi31.Operation, o Operation) error {
	inPath := map[string]bool{}
	for segment := range strings.SplitSeq(o.Route.Path, "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			inPath[strings.TrimRight(name, "+}")] = true
		}
	}
	for _, p := range o.parameters() {
		parameter := openapi31.Parameter{}
		parameter.WithName(p.Name).WithIn(openapi31.ParameterIn(p.In)).WithDescription(p.Description).WithSchema(p.Rules.schema())
		if p.Required || p.In == Path {
			parameter.WithRequired(true)
		}
		if p.Example != nil {
			parameter.WithExample(p.Example)
		}
		op.Parameters = append(op.Parameters, parameter.ToParameterOrRef())
		if p.In == Path && !inPath[p.Name] {
			return fmt.Errorf("the path does not have the parameter %q", p.Name)
		}
		delete(inPath, p.Name)
	}
	for name := range inPath {
		return fmt.Errorf("the parameter %q of the path is not described", name)
	}
	return nil
}

func (b *builder) responses(op *openapi31.Operation, o Operation) error {
	responses := op.ResponsesEns()
	for _, r := range o.Responses {
		response := openapi31.Response{Description: r.Description, Headers: b.headers(o, r.Status, r.Headers)}
		if r.Body != nil {
			content := openapi31.MediaType{}
			content.WithSchema(b.schemas.of(r.Body))
			if r.Or != nil {
				content.WithSchema(map[string]any{"oneOf": []any{b.schemas.of(r.Body), b.schemas.of(r.Or)}})
			}
			if r.Example {
				example, err := responseExample(b.root, cmp.Or(r.ExampleOf, o.Route.Name), r.Status)
				if err != nil {
					return err
				}
				content.WithExample(example)
			}
			types := r.Types
			if types == nil {
				types = []string{api.ContentTypeJSON}
			}
			for _, mediaType := range types {
				response.WithContentItem(mediaType, content)
			}
		}
		responses.WithMapOfResponseOrReferenceValuesItem(strconv.Itoa(r.Status), openapi31.ResponseOrReference{Response: &response})
	}
	byStatus := map[int][]*problem.Error{}
	for _, p := range Problems(o) {
		byStatus[p.Kind.Status()] = append(byStatus[p.Kind.Status()], p)
	}
	for _, status := range slices.Sorted(maps.Keys(byStatus)) {
		var own []ResponseHeader
		if o.Route.Auth != api.Public && (status == http.StatusBadRequest || status == http.StatusForbidden) {
			own = append(own, challenge()) // RFC 6750 section 3.1 has 400 and 403 too
		}
		response := b.refusal(o, status, byStatus[status], own)
		if gatewayAnswers(o)[status] {
			content := openapi31.MediaType{}
			content.WithSchema(map[string]any{"$ref": schemaPrefix + gatewaySchema})
			response.WithContentItem(api.ContentTypeJSON, content)
		}
		if known, ok := responses.MapOfResponseOrReferenceValues[strconv.Itoa(status)]; ok { // such as the 503 of a probe
			known.Response.WithContentItem(problem.ContentType, response.Content[problem.ContentType])
			if json, ok := response.Content[api.ContentTypeJSON]; ok {
				own := known.Response.Content[api.ContentTypeJSON]
				own.WithSchema(map[string]any{"oneOf": []any{own.Schema, json.Schema}})
				known.Response.WithContentItem(api.ContentTypeJSON, own)
			}
			maps.Copy(known.Response.Headers, response.Headers)
			continue
		}
		responses.WithMapOfResponseOrReferenceValuesItem(strconv.Itoa(status), openapi31.ResponseOrReference{Response: &response})
	}
	return nil
}

// refusal returns the answer of a status with all of its codes.
func (b *builder) refusal(o Operation, status int, problems []*problem.Error, own []ResponseHeader) openapi31.Response {
	codes, texts := []any{}, []string{}
	for _, p := range problems {
		if slices.Contains(codes, any(p.Code)) {
			continue
		}
		codes = append(codes, p.Code)
		texts = append(texts, strings.TrimRight("- `"+p.Code+"`: "+p.Detail, ": "))
	}
	slices.Sort(texts)
	slices.SortFunc(codes, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	content := openapi31.MediaType{}
	content.WithSchema(map[string]any{"allOf": []any{
		map[string]any{"$ref": schemaPrefix + problemSchema},
		map[string]any{"properties": map[string]any{
			// The types again: generators of clients do not find them in the other schema.
			"code": map[string]any{"type": "string", "enum": codes}, "status": map[string]any{"type": "integer", "const": status},
		}},
	}})
	if example, err := problemExample(o, problems); err != nil {
		b.schemas.refuse("%s: example of %d: %w", o.Route.Name, status, err)
	} else {
		content.WithExample(example)
	}
	response := openapi31.Response{
		Description: http.StatusText(status) + ":\n\n" + strings.Join(texts, "\n"),
		Headers:     b.headers(o, status, own),
	}
	response.WithContentItem(problem.ContentType, content)
	return response
}
