//go:build openapi

package document_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/internal/openapi"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/problem"
	"github.com/tienda-dev/tienda/tools/openapi/document"
)

// root is the repository, seen from this package's folder.
const root = "../../.."

func TestFileIsWhatTheCodeSays(t *testing.T) {
	t.Parallel()
	spec, err := document.Build(root)
	if err != nil {
		t.Fatal(err)
	}
	want, err := openapi.YAML(spec)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(root, document.File))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the code says: run make generate. First difference: %s", document.File, firstDifference(string(got), string(want)))
	}
}

// BenchmarkBuild measures what `make generate` does besides compiling: at most 5 s.
func BenchmarkBuild(b *testing.B) {
	for b.Loop() {
		spec, err := document.Build(root)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := openapi.YAML(spec); err != nil {
			b.Fatal(err)
		}
	}
}

func TestServedDocumentIsTheSame(t *testing.T) {
	t.Parallel()
	spec, err := document.Build(root)
	if err != nil {
		t.Fatal(err)
	}
	want, err := openapi.JSON(spec)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(filepath.Join(root, document.Served))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	reader, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(reader)
	if err != nil || !bytes.Equal(got, want) { // the text: another release of Go may compress it to other bytes
		t.Errorf("%s is not what the code says (%v): run make generate", document.Served, err)
	}
}

func firstDifference(got, want string) string {
	wanted := strings.Split(want, "\n")
	for i, line := range strings.Split(got, "\n") {
		if i >= len(wanted) || line != wanted[i] {
			return line
		}
	}
	return "the file is too short"
}

// validator is a request type with rules.
type validator interface{ Validate() []problem.FieldError }

// TestRequiredMembersAreThoseThatValidateNeeds sets each member of each sample request to null: the document must allow
// what the code accepts. It removes each member of each sample request: Validate must refuse what
// the document requires, and nothing else.
func TestRequiredMembersAreThoseThatValidateNeeds(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, resource := range document.Resources() {
		schemas := map[reflect.Type]openapi.Schema{}
		for _, schema := range resource.Schemas {
			schemas[reflect.TypeOf(schema.Value)] = schema
		}
		for _, operation := range resource.Operations {
			if operation.Body == nil || operation.BodyType != "" && operation.BodyType != api.ContentTypeMergePatch {
				continue // a form is not decoded from JSON
			}
			checked++
			t.Run(operation.Route.Name, func(t *testing.T) {
				t.Parallel()
				schema := schemas[reflect.TypeOf(operation.Body)]
				sample := sampleBody(t, operation.Route.Name)
				if broken := validate(t, operation.Body, sample); len(broken) > 0 {
					t.Errorf("the sample event is not valid: %v", broken)
				}
				for name := range members(operation.Body) {
					body := maps.Clone(sample)
					delete(body, name)
					refused := names(validate(t, operation.Body, body), name)
					if nullable, accepted := schema.Members[name].Nullable, acceptsNull(t, operation.Body, sample, name); nullable != accepted {
						t.Errorf("%q may be null: for api.Decode and Validate %t, in the document %t", name, accepted, nullable)
					}
					if required := slices.Contains(schema.Required, name); refused != required {
						t.Errorf("without %q: Validate refuses it: %t; the document requires it: %t", name, refused, required)
					}
				}
			})
		}
	}
	if checked < 8 {
		t.Errorf("only %d operations have a JSON body", checked)
	}
}

// validate decodes a body as api.Decode does, and returns what its type refuses.
func validate(t *testing.T, request any, body map[string]any) []problem.FieldError {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	value := reflect.New(reflect.TypeOf(request))
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(value.Interface()); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	rules, ok := reflect.TypeAssert[validator](value)
	if !ok {
		t.Fatalf("%T has no Validate", request)
	}
	return rules.Validate()
}

// acceptsNull reports whether a request is valid with null for a member.
func acceptsNull(t *testing.T, request any, sample map[string]any, name string) bool {
	t.Helper()
	for field := range reflect.TypeOf(request).Fields() {
		if tag, _, _ := strings.Cut(field.Tag.Get("json"), ","); tag != name {
			continue
		}
		switch field.Type.Kind() {
		case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Struct: // the structs are patch fields
		default:
			return false // api.Decode refuses it
		}
	}
	body := maps.Clone(sample)
	body[name] = nil
	return !names(validate(t, request, body), name)
}

// names reports whether one of the faults is in a member of a body.
func names(faults []problem.FieldError, member string) bool {
	return slices.ContainsFunc(faults, func(f problem.FieldError) bool {
		return f.Pointer == "/"+member || strings.HasPrefix(f.Pointer, "/"+member+"/")
	})
}

func members(request any) map[string]bool {
	names := map[string]bool{}
	for field := range reflect.TypeOf(request).Fields() {
		if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "" && name != "-" {
			names[name] = true
		}
	}
	return names
}

func sampleBody(t *testing.T, name string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "events", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var event struct {
		Body string `json:"body"`
	}
	if err := json.Unmarshal(text, &event); err != nil {
		t.Fatal(err)
	}
	var body map[string]any
	if err := json.Unmarshal([]byte(event.Body), &body); err != nil {
		t.Fatal(err)
	}
	return body
}
