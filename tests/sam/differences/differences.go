// Package differences has a list of the answers in which `sam local` differs from API Gateway. It checks
// that an answer differs exactly as listed, and returns API Gateway's answer instead. So one suite runs
// against both.
package differences

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"
)

// Request identifies a request. All fields must match; there are no wildcards.
type Request struct {
	// Route is "GET /v1/products/{id}", or method and path if no route has the path.
	Route string `yaml:"route"`
	// Token is sent or none. Empty is none.
	Token string `yaml:"token"`
	// Origin is the Origin header. Empty is none.
	Origin string `yaml:"origin"`
	// Body is text (also an empty one), binary (not UTF-8) or "over 10 MB". Empty is text.
	Body string `yaml:"body"`
}

// The special values of Request.
const (
	none      = "none"
	sent      = "sent"
	bodyText  = "text"
	binary    = "binary"
	oversized = "over 10 MB"
)

// Field is a part of an answer that differs: "status", "body" or "header Content-Type".
type Field string

// Values are the two values of a field. Nil is absent. In a body, <request id> is the placeholder for
// the value of X-Request-Id.
type Values struct {
	Gateway *string `yaml:"gateway"`
	SAM     *string `yaml:"sam"`
}

// Entry is one known difference.
type Entry struct {
	Request `yaml:",inline"`
	// Source is the origin of the difference: SAM's code or an issue.
	Source string `yaml:"source"`
	// Fields are the fields that differ, in parts that entries share by YAML anchors.
	Fields []map[Field]Values `yaml:"fields"`

	fields map[Field]Values
	seen   bool
}

// Other is one known difference in something else than an answer of the API: in the Lambda API, or in the
// event that a function receives.
type Other struct {
	// About is the subject: "Invoke of an unknown function", "event of POST /echo/{id}".
	About  string `yaml:"about"`
	Field  string `yaml:"field"`
	Values `yaml:",inline"`
	Source string `yaml:"source"`
}

// List holds the known differences and the results of the checks. It is safe for concurrent use.
type List struct {
	mu      sync.Mutex
	entries map[Request]*Entry
	others  []Other
	faults  []string
}

// file is the document.
type file struct {
	// Parts only define anchors.
	Parts       map[string]any `yaml:"parts"`
	Differences []*Entry       `yaml:"differences"`
	Others      []Other        `yaml:"others"`
}

// Read reads the list from a file.
func Read(path string) (*List, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	l, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return l, nil
}

// Parse reads the list. It refuses entries that are incomplete, empty or repeated.
func Parse(data []byte) (*List, error) {
	var f file
	if err := yaml.Load(data, &f, yaml.WithKnownFields()); err != nil {
		return nil, err
	}
	l := &List{entries: map[Request]*Entry{}}
	for _, e := range f.Differences {
		if err := e.complete(); err != nil {
			return nil, fmt.Errorf("%s: %w", e.Route, err)
		}
		if _, twice := l.entries[e.Request]; twice {
			return nil, fmt.Errorf("%+v is listed twice", e.Request)
		}
		l.entries[e.Request] = e
	}
	for i, o := range f.Others {
		switch {
		case o.About == "" || o.Field == "" || o.Source == "":
			return nil, fmt.Errorf("other %d: about, field and source must be named", i+1)
		case equal(o.Gateway, o.SAM):
			return nil, fmt.Errorf("%s: %s does not differ", o.About, o.Field)
		}
	}
	l.others = f.Others
	return l, nil
}

// Abouts returns the subjects of the other differences, each once.
func (l *List) Abouts() []string {
	var all []string
	for _, o := range l.others {
		if !slices.Contains(all, o.About) {
			all = append(all, o.About)
		}
	}
	return all
}

// Compare compares the fields found with the known differences of the subject. Its error has every
// difference that is not listed, every listed one that no longer exists, and other values. An absent field
// is not in its map.
func (l *List) Compare(about string, gateway, sam map[string]string) error {
	fields := map[string]Values{}
	for name, value := range gateway {
		fields[name] = Values{Gateway: &value}
	}
	for name, value := range sam {
		v := fields[name]
		v.SAM = &value
		fields[name] = v
	}
	var all []error
	for _, o := range l.others {
		if o.About != about {
			continue
		}
		got := fields[o.Field]
		delete(fields, o.Field)
		if !equal(got.Gateway, o.Gateway) || !equal(got.SAM, o.SAM) {
			all = append(all, fmt.Errorf("%s: %s is %s at the gateway and %s at SAM; known are %s and %s",
				about, o.Field, show(got.Gateway), show(got.SAM), show(o.Gateway), show(o.SAM)))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if got := fields[name]; !equal(got.Gateway, got.SAM) {
			all = append(all, fmt.Errorf("%s: %s is %s at the gateway and %s at SAM, which is not listed",
				about, name, show(got.Gateway), show(got.SAM)))
		}
	}
	return errors.Join(all...)
}

func (e *Entry) complete() error {
	e.Token, e.Origin, e.Body = cmp.Or(e.Token, none), cmp.Or(e.Origin, none), cmp.Or(e.Body, bodyText)
	switch {
	case e.Route == "" || strings.Contains(e.Route, "*"):
		return errors.New("it names no route")
	case e.Source == "":
		return errors.New("it names no source")
	case e.Token != none && e.Token != sent:
		return fmt.Errorf("token is %q: none and sent are", e.Token)
	case !slices.Contains([]string{bodyText, binary, oversized}, e.Body):
		return fmt.Errorf("body is %q: text, binary and %s are", e.Body, oversized)
	}
	e.fields = map[Field]Values{}
	for _, part := range e.Fields {
		for name, values := range part {
			if _, twice := e.fields[name]; twice {
				return fmt.Errorf("%s is listed twice", name)
			}
			if err := name.check(); err != nil {
				return err
			}
			if equal(values.Gateway, values.SAM) {
				return fmt.Errorf("%s does not differ", name)
			}
			e.fields[name] = values
		}
	}
	if len(e.fields) == 0 {
		return errors.New("no field differs")
	}
	return nil
}

func (f Field) check() error {
	if f == "status" || f == "body" {
		return nil
	}
	if _, ok := f.header(); ok {
		return nil
	}
	return fmt.Errorf("the field %q is neither status, body nor a header", string(f))
}

// header returns the header that the field names.
func (f Field) header() (string, bool) {
	name, ok := strings.CutPrefix(string(f), "header ")
	return name, ok && name != ""
}

// Err joins all faults: answers that match neither side, entries that no longer differ, and entries that no
// request has tried.
func (l *List) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []error
	for _, fault := range l.faults {
		all = append(all, errors.New(fault))
	}
	for request, e := range l.entries {
		if !e.seen {
			all = append(all, fmt.Errorf("%+v: no request has tried it", request))
		}
	}
	return errors.Join(all...)
}

func (l *List) fault(format string, args ...any) {
	sentence := fmt.Sprintf(format, args...)
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Contains(l.faults, sentence) {
		l.faults = append(l.faults, sentence)
	}
}

// find returns the request's entry, and marks it as tried.
func (l *List) find(r Request) *Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entries[r]
	if e != nil {
		e.seen = true
	}
	return e
}

// settle compares an answer of SAM with the entry. It returns API Gateway's answer, or records the fault and
// returns the answer unchanged.
func (l *List) settle(e *Entry, a answer) answer {
	asExpected := true
	for name, values := range e.fields {
		got := a.get(name)
		switch {
		case equal(got, values.SAM):
		case equal(got, values.Gateway):
			l.fault("%+v: %s differs no longer: SAM too answers %s", e.Request, name, show(got))
			asExpected = false
		default:
			l.fault("%+v: %s is %s; known is %s, where API Gateway answers %s",
				e.Request, name, show(got), show(values.SAM), show(values.Gateway))
			asExpected = false
		}
	}
	if !asExpected {
		return a
	}
	for name, values := range e.fields {
		if name != "body" {
			a.set(name, values.Gateway)
		}
	}
	if values, ok := e.fields["body"]; ok { // last: it may name the request id
		a.set("body", values.Gateway)
	}
	return a
}

func equal(a, b *string) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}

func show(v *string) string {
	if v == nil {
		return "nothing"
	}
	return fmt.Sprintf("%q", bytes.ToValidUTF8([]byte(*v), []byte("?")))
}
