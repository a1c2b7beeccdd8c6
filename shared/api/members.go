package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strconv"
	"strings"

	"github.com/tienda-dev/tienda/shared/problem"
)

// MaxDepth is how many levels of objects and arrays a request body may have.
const MaxDepth = 32

// walker compares a JSON text with the Go type that it is read into.
type walker struct {
	body []byte
	dec  *json.Decoder
	// broken names every value that the type has no place for.
	broken []problem.FieldError
	// cut has the pointers of the values to leave out, so that the rest can be read.
	cut []string
}

// walk refuses a text that is not well-formed: not JSON, members given twice, nesting beyond MaxDepth, anything
// behind the first value. What encoding/json accepts, or stops at, is noted for each value: members that t
// does not have (also under another letter case), wrong types, integers that a double cannot hold, and values
// that their own type cannot read.
func walk(body []byte, t reflect.Type) (*walker, error) {
	w := &walker{body: body, dec: json.NewDecoder(bytes.NewReader(body))}
	w.dec.UseNumber()
	if err := w.value(t, "", 0); err != nil {
		if e, ok := problem.As(err); ok {
			return nil, e
		}
		return nil, malformed("The request body is not valid JSON.", err)
	}
	if _, err := w.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, malformed("The request body has data behind its JSON value.", err)
	}
	return w, nil
}

func (w *walker) refuse(pointer, detail string) {
	w.broken = append(w.broken, problem.FieldError{Pointer: pointer, Detail: detail})
	w.cut = append(w.cut, pointer)
}

func (w *walker) value(t reflect.Type, pointer string, depth int) error {
	start, before := w.dec.InputOffset(), len(w.broken)
	token, err := w.dec.Token()
	if err != nil {
		return err
	}
	if token == nil && t != nil && nullable(t) {
		return nil
	}
	w.checkKind(t, token, pointer)
	if delim, ok := token.(json.Delim); ok {
		if err := w.inside(delim, members(t), pointer, depth+1); err != nil {
			return err
		}
	}
	if t := elem(t); decodesJSON(t) || decodesText(t) {
		if len(w.broken) > before {
			w.cut = append(w.cut, pointer) // its type reads all of it or nothing
			return nil
		}
		w.try(t, bytes.TrimLeft(w.body[start:w.dec.InputOffset()], " \t\r\n:,"), pointer)
	}
	return nil
}

// inside walks what is between two delimiters.
func (w *walker) inside(delim json.Delim, t reflect.Type, pointer string, depth int) error {
	if depth > MaxDepth {
		return malformed("The request body is nested deeper than "+strconv.Itoa(MaxDepth)+" levels.", nil)
	}
	walk := w.array
	if delim == '{' {
		walk = w.object
	}
	if err := walk(t, pointer, depth); err != nil {
		return err
	}
	_, err := w.dec.Token() // the closing delimiter
	return err
}

// checkKind notes a value of another JSON type than t is read from.
func (w *walker) checkKind(t reflect.Type, token json.Token, pointer string) {
	want, got := jsonKind(t), ""
	switch token := token.(type) {
	case json.Delim:
		got = map[json.Delim]string{'{': "an object", '[': "an array"}[token]
	case string:
		got = "a string"
	case bool:
		got = "a boolean"
	case json.Number:
		if fault := numberFault(t, token); fault != "" {
			w.refuse(pointer, fault)
			return
		}
		if got = "a number"; want == "an integer" {
			return
		}
	}
	if want != "" && got != want {
		w.refuse(pointer, "must be "+want)
	}
}

// try notes a value that its own type cannot read.
func (w *walker) try(t reflect.Type, raw []byte, pointer string) {
	err := json.Unmarshal(raw, reflect.New(t).Interface())
	if err == nil && isTime(t) && raw[0] == 'n' {
		err = errors.New("null is not a time") // a time.Time stays as it was
	}
	if err == nil {
		return
	}
	mismatch, isMismatch := errors.AsType[*json.UnmarshalTypeError](err)
	own, isProblem := problem.As(err)
	switch {
	case isTime(t):
		w.refuse(pointer, "must be a time, such as 2026-11-24T20:00:00.000Z (RFC 3339)")
	case isProblem && len(own.Errors) > 0:
		for _, e := range own.Errors {
			w.broken = append(w.broken, problem.FieldError{Pointer: pointer + e.Pointer, Detail: e.Detail})
		}
		w.cut = append(w.cut, pointer)
	case isMismatch && jsonKind(mismatch.Type) != "":
		w.broken = append(w.broken, problem.FieldError{Pointer: pointer + fieldPointer(mismatch.Field), Detail: "must be " + jsonKind(mismatch.Type)})
		w.cut = append(w.cut, pointer)
	default:
		w.refuse(pointer, "is not a valid value")
	}
}

// fieldPointer returns the JSON pointer of a field that encoding/json names "price.amount_minor".
func fieldPointer(field string) string {
	pointer := ""
	if field != "" {
		for name := range strings.SplitSeq(field, ".") {
			pointer = problem.Pointer(pointer, name)
		}
	}
	return pointer
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
			w.refuse(at, "unknown field")
		}
		if err := w.value(member, at, depth); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) array(t reflect.Type, pointer string, depth int) error {
	item := itemType(t)
	for i := 0; w.dec.More(); i++ {
		if err := w.value(item, problem.Pointer(pointer, strconv.Itoa(i)), depth); err != nil {
			return err
		}
	}
	return nil
}

// rest returns the text without the values that were cut: without the member, or with null in the place of an
// item.
func (w *walker) rest() ([]byte, error) {
	var tree any
	d := json.NewDecoder(bytes.NewReader(w.body))
	d.UseNumber()
	if err := d.Decode(&tree); err != nil {
		return nil, err
	}
	for _, pointer := range w.cut {
		names := strings.Split(pointer, "/")
		parent := tree
		for _, name := range names[1 : len(names)-1] {
			parent = child(parent, name)
		}
		switch p := parent.(type) {
		case map[string]any:
			delete(p, unescape(names[len(names)-1]))
		case []any:
			if i, err := strconv.Atoi(names[len(names)-1]); err == nil {
				p[i] = nil
			}
		}
	}
	return json.Marshal(tree)
}

// child returns a member or an item, and nil for one that is cut.
func child(parent any, name string) any {
	switch p := parent.(type) {
	case map[string]any:
		return p[unescape(name)]
	case []any:
		if i, err := strconv.Atoi(name); err == nil {
			return p[i]
		}
	}
	return nil
}

// unescape returns the name in a JSON pointer (RFC 6901 section 4).
func unescape(name string) string {
	if !strings.Contains(name, "~") {
		return name
	}
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
}

// covers reports whether a value that was cut is at or above the pointer.
func (w *walker) covers(pointer string) bool {
	for _, cut := range w.cut {
		if pointer == cut || strings.HasPrefix(pointer, cut+"/") {
			return true
		}
	}
	return false
}
