package sam

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Expectation is a function's expected answer to its sample event: events/expected/<operation>.json.
//
// In headers, a body or a payload, a text in angle brackets matches any value of its kind: "<time>",
// "<ulid>", "<id>" and "<text>", also inside a longer text, and "<number>". Everything else is compared
// exactly: members, the length of lists, and values.
type Expectation struct {
	// Status is the HTTP status of the answer; 0 is an answer that is not HTTP.
	Status int `json:"status"`
	// Headers are the headers to compare. The answer may have others.
	Headers map[string]string `json:"headers"`
	// Body is the JSON body; absent is an empty one.
	Body json.RawMessage `json:"body"`
	// Text are parts of a body that is not JSON.
	Text []string `json:"text"`
	// Payload is the whole answer of a function that does not answer HTTP.
	Payload json.RawMessage `json:"payload"`
}

// ReadExpectation reads the expected answer of an operation.
func ReadExpectation(root, operation string) (Expectation, error) {
	path := filepath.Join(root, "events", "expected", operation+".json")
	data, err := os.ReadFile(path)
	if err != nil {
		return Expectation{}, err
	}
	var e Expectation
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return Expectation{}, fmt.Errorf("%s: %w", path, err)
	}
	if (e.Status == 0) == (e.Payload == nil) {
		return Expectation{}, fmt.Errorf("%s: want either a status or a payload", path)
	}
	return e, nil
}

// Check returns all differences between a function's answer and the expected one.
func (e Expectation) Check(answer []byte) error {
	if e.Payload != nil {
		return errors.Join(compareJSON(e.Payload, answer, "answer")...)
	}
	var got struct {
		StatusCode      int               `json:"statusCode"`
		Headers         map[string]string `json:"headers"`
		Body            string            `json:"body"`
		IsBase64Encoded bool              `json:"isBase64Encoded"`
	}
	if err := json.Unmarshal(answer, &got); err != nil {
		return fmt.Errorf("the answer is not an HTTP answer: %w: %.200s", err, answer)
	}

	var faults []error
	if got.StatusCode != e.Status {
		faults = append(faults, fmt.Errorf("status %d, want %d: %.300s", got.StatusCode, e.Status, answer))
	}
	headers := map[string]string{}
	for name, value := range got.Headers {
		headers[strings.ToLower(name)] = value
	}
	for _, name := range slices.Sorted(maps.Keys(e.Headers)) {
		if value := headers[strings.ToLower(name)]; !matches(e.Headers[name], value) {
			faults = append(faults, fmt.Errorf("header %s is %q, want %q", name, value, e.Headers[name]))
		}
	}
	switch {
	case got.IsBase64Encoded:
		faults = append(faults, errors.New("the body is base64"))
	case len(e.Text) > 0:
		for _, part := range e.Text {
			if !strings.Contains(got.Body, part) {
				faults = append(faults, fmt.Errorf("the body has no %q: %.300q", part, got.Body))
			}
		}
	case e.Body == nil && got.Body != "":
		faults = append(faults, fmt.Errorf("the body is %.300q, want none", got.Body))
	case e.Body != nil:
		faults = append(faults, compareJSON(e.Body, []byte(got.Body), "body")...)
	}
	return errors.Join(faults...)
}

// compareJSON compares two documents; numbers keep their text.
func compareJSON(want, got []byte, path string) []error {
	var w, g any
	for _, side := range []struct {
		data []byte
		into *any
	}{{want, &w}, {got, &g}} {
		d := json.NewDecoder(bytes.NewReader(side.data))
		d.UseNumber()
		if err := d.Decode(side.into); err != nil {
			return []error{fmt.Errorf("%s is not JSON: %w: %.200s", path, err, side.data)}
		}
	}
	return compare(w, g, path)
}

func compare(want, got any, path string) []error {
	differs := func() []error { return []error{fmt.Errorf("%s is %s, want %s", path, text(got), text(want))} }
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return differs()
		}
		var faults []error
		for _, name := range slices.Sorted(maps.Keys(w)) {
			if _, there := g[name]; !there {
				faults = append(faults, fmt.Errorf("%s has no member %s", path, name))
				continue
			}
			faults = append(faults, compare(w[name], g[name], path+"."+name)...)
		}
		for _, name := range slices.Sorted(maps.Keys(g)) {
			if _, there := w[name]; !there {
				faults = append(faults, fmt.Errorf("%s has the member %s", path, name))
			}
		}
		return faults
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return differs()
		}
		var faults []error
		for i := range w {
			faults = append(faults, compare(w[i], g[i], path+"["+strconv.Itoa(i)+"]")...)
		}
		return faults
	case string:
		if !kindOf(w, got) {
			return differs()
		}
		return nil
	default:
		if want != got {
			return differs()
		}
		return nil
	}
}

// kindOf reports whether a value matches a text of an expectation.
func kindOf(want string, got any) bool {
	if want == "<number>" {
		_, ok := got.(json.Number)
		return ok
	}
	g, ok := got.(string)
	return ok && matches(want, g)
}

// kinds returns the patterns of the texts in angle brackets.
func kinds() map[string]string {
	return map[string]string{
		"<time>": `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`,
		"<ulid>": `[0-7][0-9A-HJKMNP-TV-Z]{25}`,
		"<id>":   `[A-Za-z0-9._:-]{16,128}`,
		"<text>": `(?s:.+)`,
	}
}

// matches reports whether a text matches another that may contain kinds.
func matches(want, got string) bool {
	pattern := regexp.QuoteMeta(want)
	for kind, values := range kinds() {
		pattern = strings.ReplaceAll(pattern, kind, values)
	}
	return regexp.MustCompile(`\A` + pattern + `\z`).MatchString(got)
}

func text(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(data)
}
