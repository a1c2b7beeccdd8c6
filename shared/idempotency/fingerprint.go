package idempotency

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tienda-dev/tienda/shared/api"
)

// fingerprint returns a digest that is equal for equal requests to the route, and the request with its body to be read
// again. The order of a JSON object's members, white space and escapes make no difference.
func fingerprint(route api.Route, r *http.Request) (string, *http.Request, error) {
	parts := []string{r.Method}
	for segment := range strings.SplitSeq(route.Path, "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			value := r.PathValue(strings.TrimRight(name, "+}"))
			if id, ok := api.ULID(value); ok { // in lower case it is the same id
				value = id
			}
			parts = append(parts, value)
		}
	}
	query := r.URL.RawQuery
	if values, err := url.ParseQuery(query); err == nil {
		query = values.Encode()
	}
	body, err := api.ReadBody(r)
	if err != nil {
		return "", r, err
	}
	again := r.WithContext(r.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	return digest(append(parts, query, string(canonical(body)))), again, nil
}

// canonical returns the JSON text in one spelling: without white space, an object's members ordered by name. Members
// with the same name keep their order, and numbers their spelling. Other text, and text that is nested deeper than
// api.Decode reads, is returned as it is.
func canonical(body []byte) []byte {
	if !utf8.Valid(body) { // the decoder would replace what is not
		return body
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var out bytes.Buffer
	if err := canonicalValue(d, &out, 0); err != nil {
		return body
	}
	if _, err := d.Token(); err != io.EOF {
		return body
	}
	return out.Bytes()
}

var errTooDeep = errors.New("nested too deep")

// canonicalValue writes the next value, which is inside of depth objects and arrays.
func canonicalValue(d *json.Decoder, out *bytes.Buffer, depth int) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	if _, ok := token.(json.Delim); ok && depth == api.MaxDepth {
		return errTooDeep
	}
	switch token {
	case json.Delim('{'):
		return canonicalObject(d, out, depth+1)
	case json.Delim('['):
		return canonicalArray(d, out, depth+1)
	}
	text, err := json.Marshal(token)
	out.Write(text)
	return err
}

func canonicalArray(d *json.Decoder, out *bytes.Buffer, depth int) error {
	out.WriteByte('[')
	for i := 0; d.More(); i++ {
		if i > 0 {
			out.WriteByte(',')
		}
		if err := canonicalValue(d, out, depth); err != nil {
			return err
		}
	}
	out.WriteByte(']')
	_, err := d.Token()
	return err
}

func canonicalObject(d *json.Decoder, out *bytes.Buffer, depth int) error {
	type member struct{ name, text string }
	var members []member
	for d.More() {
		var name, value bytes.Buffer
		if err := canonicalValue(d, &name, depth); err != nil {
			return err
		}
		if err := canonicalValue(d, &value, depth); err != nil {
			return err
		}
		members = append(members, member{name.String(), value.String()})
	}
	slices.SortStableFunc(members, func(a, b member) int { return strings.Compare(a.name, b.name) })
	out.WriteByte('{')
	for i, m := range members {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString(m.name + ":" + m.text)
	}
	out.WriteByte('}')
	_, err := d.Token()
	return err
}

// digest is the SHA-256 of the parts in hex. The length of each part precedes it, so that different lists of parts have
// different digests.
func digest(parts []string) string {
	h := sha256.New()
	for _, part := range parts {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		h.Write(length[:])
		h.Write([]byte(part))
	}
	return hex.EncodeToString(h.Sum(nil))
}
