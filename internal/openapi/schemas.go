package openapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/swaggest/jsonschema-go"

	"github.com/tienda-dev/tienda/shared/api"
)

const (
	schemaPrefix = "#/components/schemas/"
	patchField   = "PatchField[" // the start of the type names of api.PatchField
)

// schemas makes the schemas of types and collects those with a name.
type schemas struct {
	named    map[reflect.Type]Schema
	comments comments
	found    map[string]map[string]any    // the named ones, by name
	patches  map[string]jsonschema.Schema // what the patch fields hold, by the reference to them
	wrong    []error
}

func (s *schemas) refuse(format string, args ...any) {
	s.wrong = append(s.wrong, fmt.Errorf(format, args...))
}

// of returns the schema of v's type: a reference for a struct or a type with a name.
func (s *schemas) of(v any) map[string]any {
	schema, err := s.reflect(v, jsonschema.RootRef)
	if err != nil {
		s.refuse("the schema of %T: %w", v, err)
		return nil
	}
	return members(schema)
}

func (s *schemas) reflect(v any, options ...func(*jsonschema.ReflectContext)) (jsonschema.Schema, error) {
	reflector := jsonschema.Reflector{}
	return reflector.Reflect(v, append(options,
		jsonschema.DefinitionsPrefix(schemaPrefix),
		jsonschema.CollectDefinitions(func(name string, schema jsonschema.Schema) { s.found[name] = members(schema) }),
		jsonschema.InterceptDefName(func(t reflect.Type, _ string) string {
			if named, ok := s.named[t]; ok {
				return named.Name
			}
			return strings.ToUpper(t.Name()[:1]) + t.Name()[1:]
		}),
		jsonschema.InterceptNullability(func(p jsonschema.InterceptNullabilityParams) {
			if p.NullAdded && p.RefDef == nil {
				p.Schema.RemoveType(jsonschema.Null) // a pointer in a request means that the member may be absent
			}
		}),
		jsonschema.InterceptSchema(s.special),
		jsonschema.InterceptProp(s.member),
	)...)
}

// special makes the schemas of types that the library does not know.
func (s *schemas) special(p jsonschema.InterceptSchemaParams) (stop bool, err error) {
	t := p.Value.Type()
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case p.Processed:
		s.finish(t, p.Schema)
		return false, nil
	case t == reflect.TypeFor[api.Time]():
		p.Schema.WithType(jsonschema.String.Type()).WithFormat("date-time")
		return true, nil
	default:
		value, ok := patchValue(t)
		if !ok {
			return false, nil
		}
		inner, err := s.reflect(reflect.Zero(value).Interface(), jsonschema.RootRef)
		*p.Schema, s.patches[schemaPrefix+t.Name()] = inner, inner
		return true, err
	}
}

// patchValue returns the type of the value of an api.PatchField, and false for any other type.
func patchValue(t reflect.Type) (reflect.Type, bool) {
	if t.PkgPath() != reflect.TypeFor[api.Time]().PkgPath() || !strings.HasPrefix(t.Name(), patchField) {
		return nil, false
	}
	field, ok := t.FieldByName("Value")
	return field.Type, ok
}

// finish adds what the code says about a type: its comment and, for one without members, its rules.
func (s *schemas) finish(t reflect.Type, schema *jsonschema.Schema) {
	if schema.Ref != nil || t.Name() == "" {
		return
	}
	if text := s.comments.ofType(t); text != "" {
		schema.WithDescription(text)
	}
	named, ok := s.named[t]
	if !ok {
		return
	}
	if rules, ok := named.Members[""]; ok {
		rules.apply(schema)
	}
	for name := range named.Members {
		if _, ok := schema.Properties[name]; !ok && name != "" {
			s.refuse("the schema %s has rules for the member %q, which it does not have", named.Name, name)
		}
	}
	for _, name := range named.Required {
		if _, ok := schema.Properties[name]; !ok {
			s.refuse("the schema %s requires the member %q, which it does not have", named.Name, name)
		}
	}
	if named.Required != nil {
		if !named.Open { // api.Decode refuses unknown members
			schema.WithAdditionalProperties(jsonschema.SchemaOrBool{TypeBoolean: new(bool)})
		}
		schema.Required = slices.Sorted(slices.Values(named.Required))
	}
}

// member adds what the code says about a member: its comment, its rules, and whether an answer always has it.
func (s *schemas) member(p jsonschema.InterceptPropParams) error {
	if !p.Processed {
		return nil
	}
	parent := p.ParentSchema.ReflectType
	for parent.Kind() == reflect.Pointer {
		parent = parent.Elem()
	}
	if ref := p.PropertySchema.Ref; ref != nil {
		if inner, ok := s.patches[*ref]; ok {
			*p.PropertySchema = inner
		}
	}
	if text := s.comments.ofField(parent, p.Field.Name); text != "" {
		p.PropertySchema.WithDescription(text)
	}
	named := s.named[parent]
	if rules, ok := named.Members[p.Name]; ok {
		if p.PropertySchema.Ref != nil && rules.Enum != nil {
			// Fewer values than the type has. Many tools do not read what is beside a reference.
			p.PropertySchema.Ref = nil
			p.PropertySchema.WithType(jsonschema.String.Type())
		}
		if ref := p.PropertySchema.Ref; ref != nil && rules.Nullable {
			p.PropertySchema.Ref = nil
			p.PropertySchema.AnyOf = []jsonschema.SchemaOrBool{
				(&jsonschema.Schema{Ref: ref}).ToSchemaOrBool(), (&jsonschema.Schema{}).WithType(jsonschema.Null.Type()).ToSchemaOrBool(),
			}
			rules.Nullable = false
		}
		rules.apply(p.PropertySchema)
	}
	_, options, _ := strings.Cut(p.Field.Tag.Get("json"), ",")
	if named.Required == nil && !strings.Contains(options, "omitempty") {
		p.ParentSchema.Required = append(p.ParentSchema.Required, p.Name)
		slices.Sort(p.ParentSchema.Required)
	}
	return nil
}

// apply adds the rules to a schema.
func (r Rules) apply(schema *jsonschema.Schema) {
	if r.Type != "" {
		schema.WithType(jsonschema.SimpleType(r.Type).Type())
	}
	if r.Nullable {
		schema.AddType(jsonschema.Null)
	}
	if r.Format != "" {
		schema.WithFormat(r.Format)
	}
	if r.MinLength > 0 {
		schema.WithMinLength(int64(r.MinLength))
	}
	if r.MaxLength > 0 {
		schema.WithMaxLength(int64(r.MaxLength))
	}
	if r.Pattern != "" {
		schema.WithPattern(r.Pattern)
	}
	if r.Enum != nil {
		schema.WithEnum(r.Enum...)
	}
	if r.Not != nil {
		schema.NotEns().TypeObjectEns().WithEnum(r.Not...)
	}
	if r.Default != nil {
		schema.WithDefault(r.Default)
	}
	if r.Minimum != nil {
		schema.WithMinimum(float64(*r.Minimum))
	}
	if r.Maximum != nil {
		schema.WithMaximum(float64(*r.Maximum))
	}
	r.applyToEntries(schema)
}

// applyToEntries adds the rules of a list or an object.
func (r Rules) applyToEntries(schema *jsonschema.Schema) {
	object := schema.HasType(jsonschema.Object)
	if r.MaxItems > 0 && object {
		schema.WithMaxProperties(int64(r.MaxItems))
	} else if r.MaxItems > 0 {
		schema.WithMaxItems(int64(r.MaxItems))
	}
	if r.MinItems > 0 {
		schema.WithMinItems(int64(r.MinItems))
	}
	if r.Names != nil {
		r.Names.apply(schema.PropertyNamesEns().TypeObjectEns())
	}
	switch {
	case r.Items == nil:
	case object:
		r.Items.apply(schema.AdditionalPropertiesEns().TypeObjectEns())
	default:
		r.Items.apply(schema.ItemsEns().SchemaOrBoolEns().TypeObjectEns())
	}
}

// schema returns the schema of a parameter or a header.
func (r Rules) schema() map[string]any {
	schema := jsonschema.Schema{}
	schema.WithType(jsonschema.String.Type())
	r.apply(&schema)
	return members(schema)
}

// members returns a schema as JSON holds it.
func members(schema jsonschema.Schema) map[string]any {
	text, err := json.Marshal(schema)
	var out map[string]any
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		panic(fmt.Sprintf("schema: %v", err)) // it was made a moment ago
	}
	return out
}

// all returns the schemas with a name. Patch fields are not types of the API.
func (s *schemas) all() map[string]map[string]any {
	maps.DeleteFunc(s.found, func(name string, _ map[string]any) bool { return strings.HasPrefix(name, patchField) })
	return s.found
}

// named returns the schemas of all resources by their type.
func named(resources []Resource) (map[reflect.Type]Schema, error) {
	types, names := map[reflect.Type]Schema{}, map[string]reflect.Type{}
	var wrong []error
	for _, resource := range resources {
		for _, schema := range resource.Schemas {
			t := reflect.TypeOf(schema.Value)
			if other, ok := names[schema.Name]; ok {
				wrong = append(wrong, fmt.Errorf("two types have the schema name %s: %s and %s", schema.Name, other, t))
			}
			if _, ok := types[t]; ok {
				wrong = append(wrong, fmt.Errorf("the type %s has two schemas", t))
			}
			types[t], names[schema.Name] = schema, t
		}
	}
	return types, errors.Join(wrong...)
}
