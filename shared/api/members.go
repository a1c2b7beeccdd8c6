package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/tienda-dev/tienda/shared/problem"
)

// maxDepth bounds the nesting of a request body.
const maxDepth = 32

// checkMembers compares the JSON text with dst's type and refuses what encoding/json accepts:
// members that dst does not have (also under another letter case), members given twice, nesting
// beyond maxDepth, and anything behind the first value. It also names every value of a wrong
// type, where encoding/json stops at the first and does not name the element of a map.
func checkMembers(body []byte, dst any) error {
	w := walker{dec: json.NewDecoder(bytes.NewReader(body))}
	w.dec.UseNumber()
	if err := w.value(reflect.TypeOf(dst).Elem(), "", 0); err != nil {
		if e, ok := problem.As(err); ok {
			return e
		}
		return malformed("The request body is not valid JSON.", err)
	}
	if len(w.broken) > 0 {
		return problem.Fields(w.broken...)
	}
	if _, err := w.dec.Token(); !errors.Is(err, io.EOF) {
		return malformed("The request body has data behind its JSON value.", err)
	}
	return nil
}

type walker struct {
	dec    *json.Decoder
	broken []problem.FieldError
}

func (w *walker) value(t reflect.Type, pointer string, depth int) error {
	token, err := w.dec.Token()
	if err != nil {
		return err
	}
	w.checkKind(t, token, pointer)
	delim, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	if depth++; depth > maxDepth {
		return malformed("The request body is nested deeper than "+strconv.Itoa(maxDepth)+" levels.", nil)
	}
	if delim == '{' {
		err = w.object(elem(t), pointer, depth)
	} else {
		err = w.array(elem(t), pointer, depth)
	}
	if err != nil {
		return err
	}
	_, err = w.dec.Token() // the closing delimiter
	return err
}

// checkKind notes a value of another JSON type than t is read from. Null is one too, unless t has a
// way to say null.
func (w *walker) checkKind(t reflect.Type, token json.Token, pointer string) {
	want := jsonKind(t)
	if want == "" || token == nil && nullable(t) {
		return
	}
	got := ""
	switch token := token.(type) {
	case json.Delim:
		got = map[json.Delim]string{'{': "an object", '[': "an array"}[token]
	case string:
		got = "a string"
	case bool:
		got = "a boolean"
	case json.Number:
		got = "a number"
		if _, err := token.Int64(); err == nil && want == "an integer" {
			got = want
		}
	}
	if got != want {
		w.broken = append(w.broken, problem.FieldError{Pointer: pointer, Detail: "must be " + want})
	}
}

func (w *walker) object(t reflect.Type, pointer string, depth int) error {
	seen := map[string]bool{}
	for w.dec.More() {
		token, err := w.dec.Token()
		if err != nil {
			return err
		}
		name, ok := token.(string)
		if !ok {
			return errors.New("object member without a name")
		}
		at := problem.Pointer(pointer, name)
		if seen[name] {
			return problem.New(problem.BadRequest, "malformed_json", "The request body gives a member twice.").
				WithFields(problem.FieldError{Pointer: at, Detail: "given twice"})
		}
		seen[name] = true

		member, known := memberType(t, name)
		if !known {
			w.broken = append(w.broken, problem.FieldError{Pointer: at, Detail: "unknown field"})
		}
		if err := w.value(member, at, depth); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) array(t reflect.Type, pointer string, depth int) error {
	var item reflect.Type
	if t != nil && (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) {
		item = t.Elem()
	}
	for i := 0; w.dec.More(); i++ {
		if err := w.value(item, problem.Pointer(pointer, strconv.Itoa(i)), depth); err != nil {
			return err
		}
	}
	return nil
}

// elem strips pointers and PatchField from t. A nil type accepts everything: its members
// are checked for depth and doubles only.
func elem(t reflect.Type) reflect.Type {
	for t != nil {
		if o, ok := reflect.TypeAssert[interface{ valueType() reflect.Type }](reflect.Zero(t)); ok {
			t = o.valueType()
			continue
		}
		if t.Kind() != reflect.Pointer {
			return t
		}
		t = t.Elem()
	}
	return nil
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
		return nil, true // a wrong type, which is noted already
	}
}

// nullable reports whether null is a value of t: for encoding/json it leaves a plain string or number
// as it was, which would make "name": null an empty name.
func nullable(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		return true
	default:
		return reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]())
	}
}

// jsonKind returns the JSON type that a Go type is read from, and "" for one that decides itself.
func jsonKind(t reflect.Type) string {
	if t = elem(t); t == nil {
		return ""
	}
	if t.Kind() != reflect.Struct && reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()) {
		return ""
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
	case reflect.Map:
		return "an object"
	case reflect.Struct:
		if t == reflect.TypeFor[time.Time]() {
			return "a string"
		}
		return "an object"
	default:
		return ""
	}
}
