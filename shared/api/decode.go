package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/tienda-dev/tienda/shared/problem"
)

// Media types that Decode accepts: JSON (RFC 8259), and for PATCH also merge patch (RFC 7396).
const (
	ContentTypeJSON       = "application/json"
	ContentTypeMergePatch = "application/merge-patch+json"
)

// Validator is implemented by request bodies that have rules beyond their types. Validate
// returns one entry per broken rule, and nothing for a body that keeps them all.
type Validator interface {
	Validate() []problem.FieldError
}

// Decode reads the request's JSON body into a T and checks it strictly. Its errors are problems:
//   - 415 unsupported_media_type: the Content-Type is not JSON; unsupported_content_encoding: the
//     body is compressed;
//   - 413 body_too_large: the body exceeds the route's limit;
//   - 400 malformed_json: empty, not UTF-8, half a surrogate pair, not JSON, nested too deep, a member twice, or
//     anything behind the first value;
//   - 422 validation_failed: an unknown field, a wrong type, or a rule that T's Validate found
//     broken; every entry names its field.
func Decode[T any](r *http.Request) (T, error) {
	var in T
	if err := checkContentType(r); err != nil {
		return in, err
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return in, bodyError(err)
	}
	if err := decodeJSON(body, &in); err != nil {
		return in, err
	}
	if v, ok := any(&in).(Validator); ok { // a pointer has the methods of both receivers
		if broken := v.Validate(); len(broken) > 0 {
			return in, problem.Fields(broken...)
		}
	}
	return in, nil
}

func decodeJSON(body []byte, dst any) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return malformed("The request body is empty.", nil)
	}
	if !utf8.Valid(body) {
		return malformed("The request body is not valid UTF-8.", nil)
	}
	if hasLoneSurrogate(body) {
		return malformed("The request body escapes half of a surrogate pair, which is not a character.", nil)
	}
	if err := checkMembers(body, dst); err != nil {
		return err
	}
	if err := json.Unmarshal(body, dst); err != nil {
		return unmarshalError(err)
	}
	return nil
}

// hasLoneSurrogate reports whether the JSON text has a \u escape of half a surrogate pair
// (RFC 8259 section 8.2), which encoding/json would silently replace.
func hasLoneSurrogate(body []byte) bool {
	const escape = 6 // \uXXXX
	unit := func(i int) rune {
		if i+escape > len(body) || body[i] != '\\' || body[i+1] != 'u' {
			return -1
		}
		n, err := strconv.ParseUint(string(body[i+2:i+escape]), 16, 16)
		if err != nil {
			return -1
		}
		return rune(n)
	}
	for i := 0; i < len(body); i++ {
		if body[i] != '\\' {
			continue
		}
		first := unit(i)
		if !utf16.IsSurrogate(first) {
			i++ // the escaped character may itself be a backslash
			continue
		}
		if utf16.DecodeRune(first, unit(i+escape)) == unicode.ReplacementChar {
			return true
		}
		i += 2*escape - 1
	}
	return false
}

func checkContentType(r *http.Request) error {
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return problem.New(problem.UnsupportedMediaType, "unsupported_content_encoding", "The request body must not be compressed.").
			WithFields(problem.FieldError{Pointer: "Content-Encoding", Detail: "must be absent or identity"})
	}
	mediaType, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	accepted := err == nil &&
		(mediaType == ContentTypeJSON || (mediaType == ContentTypeMergePatch && r.Method == http.MethodPatch))
	if charset, ok := params["charset"]; accepted && ok && !strings.EqualFold(charset, "utf-8") {
		accepted = false
	}
	if accepted {
		return nil
	}
	want := ContentTypeJSON
	if r.Method == http.MethodPatch {
		want = ContentTypeMergePatch
	}
	return problem.New(problem.UnsupportedMediaType, "unsupported_media_type",
		fmt.Sprintf("The Content-Type must be %s in UTF-8.", want))
}

func bodyError(err error) error {
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return BodyTooLarge(tooLarge.Limit)
	}
	return malformed("The request body could not be read.", err)
}

// BodyTooLarge returns the 413 problem for a body over limit bytes.
func BodyTooLarge(limit int64) *problem.Error {
	return problem.New(problem.TooLarge, "body_too_large",
		fmt.Sprintf("The request body must not be larger than %d bytes.", limit))
}

func malformed(detail string, cause error) error {
	return problem.New(problem.BadRequest, "malformed_json", detail).WithCause(cause)
}

// unmarshalError names the field of a type error; encoding/json gives it as "price.amount_minor".
func unmarshalError(err error) error {
	if mismatch, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		pointer := ""
		if mismatch.Field != "" {
			for name := range strings.SplitSeq(mismatch.Field, ".") {
				pointer = problem.Pointer(pointer, name)
			}
		}
		want := jsonKind(mismatch.Type)
		if want == "" {
			want = "of another type"
		}
		return problem.Fields(problem.FieldError{Pointer: pointer, Detail: "must be " + want})
	}
	if e, ok := problem.As(err); ok {
		return e
	}
	return malformed("The request body is not valid JSON.", err)
}
