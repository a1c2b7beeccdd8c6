package openapi

import (
	"bytes"
	"encoding/json"

	"github.com/swaggest/openapi-go/openapi31"
	"go.yaml.in/yaml/v4"
)

// YAML returns the document as YAML, with its members in alphabetical order.
func YAML(spec *openapi31.Spec) ([]byte, error) {
	document, err := decoded(spec)
	if err != nil {
		return nil, err
	}
	return yaml.Marshal(document)
}

// JSON returns the document as JSON, without spaces.
func JSON(spec *openapi31.Spec) ([]byte, error) {
	document, err := decoded(spec)
	if err != nil {
		return nil, err
	}
	return json.Marshal(document)
}

func decoded(spec *openapi31.Spec) (any, error) {
	text, err := spec.MarshalJSON()
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var document any
	if err := decoder.Decode(&document); err != nil {
		return nil, err
	}
	return plain(document), nil
}

// plain turns whole numbers into integers, which YAML would otherwise write as 1e+06, leaves out the style of
// headers, which has one value only, and puts a reference that has siblings into allOf: many tools do not read what
// is next to a reference.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if v["style"] == "simple" {
			delete(v, "style")
		}
		if ref, ok := v["$ref"]; ok && len(v) > 1 {
			delete(v, "$ref")
			v["allOf"] = []any{map[string]any{"$ref": ref}}
		}
		for name, member := range v {
			v[name] = plain(member)
		}
	case []any:
		for i, entry := range v {
			v[i] = plain(entry)
		}
	case json.Number:
		if n, err := v.Float64(); err == nil && n == float64(int64(n)) {
			return int64(n)
		}
	}
	return v
}
