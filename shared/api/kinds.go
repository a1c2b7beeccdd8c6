package api

import (
	"encoding"
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// maxInteger is the largest integer that every JSON decoder reads exactly (RFC 8259 section 6), and -maxInteger
// the smallest one.
const maxInteger = 1<<53 - 1

// elem strips pointers and PatchField from t. A nil type accepts everything: its members are checked for depth
// and doubles only.
func elem(t reflect.Type) reflect.Type {
	for t != nil {
		if inner, ok := patchValue(t); ok {
			t = inner
			continue
		}
		if t.Kind() != reflect.Pointer {
			return t
		}
		t = t.Elem()
	}
	return nil
}

// patchValue returns the type of the value of a PatchField, and false for any other type.
func patchValue(t reflect.Type) (reflect.Type, bool) {
	o, ok := reflect.TypeAssert[interface{ valueType() reflect.Type }](reflect.Zero(t))
	if !ok {
		return nil, false
	}
	return o.valueType(), true
}

// nullable reports whether null is a value of t. Encoding/json leaves a plain string or number as it was, which
// would make "name": null an empty name.
func nullable(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		return true
	default:
		_, ok := patchValue(t)
		return ok
	}
}

// decodesJSON and decodesText report whether a t decodes itself from JSON, or from a JSON string.
func decodesJSON(t reflect.Type) bool {
	return t != nil && reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]())
}

func decodesText(t reflect.Type) bool {
	return t != nil && (reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) || isBytes(t))
}

// isBytes reports whether t is a []byte, which encoding/json reads from base64.
func isBytes(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
}

func isTime(t reflect.Type) bool {
	return t == reflect.TypeFor[Time]() || t == reflect.TypeFor[time.Time]()
}

// members returns the type whose members a JSON value of t is compared with: nil for a type that decodes itself,
// unless it is a struct that names its members in tags.
func members(t reflect.Type) reflect.Type {
	t = elem(t)
	if (decodesJSON(t) || decodesText(t)) && !hasTags(t) {
		return nil
	}
	return t
}

func hasTags(t reflect.Type) bool {
	if t.Kind() != reflect.Struct {
		return false
	}
	for f := range t.Fields() {
		if f.Tag.Get("json") != "" {
			return true
		}
	}
	return false
}

// memberType returns the type of the member called name, and false when a struct has none. Every
// member of a request body has a json tag; embedded structs are not looked into.
func memberType(t reflect.Type, name string) (reflect.Type, bool) {
	if t == nil {
		return nil, true
	}
	switch t.Kind() {
	case reflect.Map:
		return t.Elem(), true
	case reflect.Struct:
		for f := range t.Fields() {
			if tag, _, _ := strings.Cut(f.Tag.Get("json"), ","); tag == name && tag != "-" {
				return f.Type, true
			}
		}
		return nil, false
	default:
		return within(t), true
	}
}

// itemType returns the type of the items of an array that is read into t.
func itemType(t reflect.Type) reflect.Type {
	if t != nil && (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) {
		return t.Elem()
	}
	return within(t)
}

// within returns the type of what is inside a value of an interface: the same. The values inside a wrong type,
// which is noted already, have none.
func within(t reflect.Type) reflect.Type {
	if t != nil && t.Kind() == reflect.Interface {
		return t
	}
	return nil
}

// jsonKind returns the JSON type that a Go type is read from, and "" for one that decides itself.
func jsonKind(t reflect.Type) string {
	t = elem(t)
	switch {
	case t == nil:
		return ""
	case t == reflect.TypeFor[json.Number]():
		return "a number"
	case decodesJSON(t) && !hasTags(t):
		return ""
	case decodesText(t) && !decodesJSON(t):
		return "a string"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "a boolean"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "an integer"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.String:
		return "a string"
	case reflect.Slice, reflect.Array:
		return "an array"
	case reflect.Map, reflect.Struct:
		return "an object"
	default:
		return ""
	}
}

// numberFault returns the rule that a JSON number breaks as a value of t, and "" if it breaks none. An integer
// that a double cannot hold is refused whatever reads it: the client may have rounded it already.
func numberFault(t reflect.Type, n json.Number) string {
	least, greatest := int64(-maxInteger), int64(maxInteger)
	kind := jsonKind(t)
	switch kind {
	case "an integer":
		least, greatest = bounds(elem(t))
	case "a number":
	default:
		if within(elem(t)) == nil {
			return "" // not read as a number
		}
	}
	if strings.ContainsAny(n.String(), ".eE") {
		if kind == "an integer" {
			return "must be an integer"
		}
		if _, err := n.Float64(); err != nil {
			return "must be a number"
		}
		return ""
	}
	if value, err := n.Int64(); err != nil || value < least || value > greatest {
		return "must be an integer from " + strconv.FormatInt(least, 10) + " to " + strconv.FormatInt(greatest, 10)
	}
	return ""
}

// bounds returns the least and the greatest value of an integer type, at most maxInteger from zero.
func bounds(t reflect.Type) (least, greatest int64) {
	switch t.Kind() {
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return 0, int64(min(uint64(maxInteger), math.MaxUint64>>(64-t.Bits())))
	default:
		n := min(int64(maxInteger), math.MaxInt64>>(64-t.Bits()))
		return max(-maxInteger, -n-1), n
	}
}
