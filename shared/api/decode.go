package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"slices"
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

// Alternatives is implemented by request bodies with a member that makes others unnecessary, such as an id instead of what
// it stands for. If a member could not be read, Validate runs as if the client had not sent it, and may report others as
// missing. Moot reports whether a fault is of that kind. unread reports whether the member at the pointer could not be read.
type Alternatives interface {
	Moot(fault problem.FieldError, unread func(pointer string) bool) bool
}

// Decode reads the request's JSON body into a T and checks it strictly. Its errors are problems:
//   - 415 unsupported_media_type: the Content-Type is not JSON; unsupported_content_encoding: the
//     body is compressed;
//   - 413 body_too_large: the body exceeds the route's limit;
//   - 400 malformed_json: nothing can be said about its fields, because it is empty, not UTF-8, half a
//     surrogate pair, not JSON, nested too deep, has a member twice, or anything behind the first value;
//   - 422 validation_failed, with an entry for every fault: an unknown field, a wrong type, an integer
//     beyond 2^53-1, a value that its type cannot read (such as a time), and every rule that T's Validate
//     finds broken. Validate sees a value that could not be read as absent; what it says about that value
//     is left out, and what is moot without it (Alternatives).
func Decode[T any](r *http.Request) (T, error) {
	var in T
	if err := checkContentType(r); err != nil {
		return in, err
	}
	body, err := ReadBody(r)
	if err != nil {
		return in, err
	}
	err = decodeJSON(body, &in)
	return in, err
}

// ReadBody reads the request's whole body. Its errors are problems: 413 body_too_large for a body over the route's
// limit, and 400 malformed_json for one that could not be read.
func ReadBody(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, bodyError(err)
	}
	return body, nil
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
	w, err := walk(body, reflect.TypeOf(dst).Elem())
	if err != nil {
		return err
	}
	broken := w.broken
	if w.covers("") {
		return problem.Fields(broken...)
	}
	if len(broken) > 0 {
		if body, err = w.rest(); err != nil {
			return problem.Fields(broken...)
		}
	}
	if err := json.Unmarshal(body, dst); err != nil {
		if len(broken) > 0 {
			return problem.Fields(broken...)
		}
		return problem.Fields(unmarshalFault(err))
	}
	if v, ok := dst.(Validator); ok { // a pointer has the methods of both receivers
		alternatives, _ := dst.(Alternatives)
		for _, fault := range v.Validate() {
			if w.covers(fault.Pointer) || alternatives != nil && alternatives.Moot(fault, w.covers) {
				continue
			}
			broken = append(broken, fault)
		}
	}
	if len(broken) > 0 {
		return problem.Fields(broken...)
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

// ContentEncodingRefused returns 415 unsupported_content_encoding.
func ContentEncodingRefused() *problem.Error {
	return problem.New(problem.UnsupportedMediaType, "unsupported_content_encoding", "The request body must not be compressed.").
		WithFields(problem.FieldError{Pointer: "Content-Encoding", Detail: "must be absent or identity"})
}

// CheckContentEncoding returns ContentEncodingRefused if the request's body is compressed.
func CheckContentEncoding(r *http.Request) error {
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return ContentEncodingRefused()
	}
	return nil
}

func checkContentType(r *http.Request) error {
	if err := CheckContentEncoding(r); err != nil {
		return err
	}
	// A charset is not a parameter of JSON and has no effect on a recipient (RFC 8259 section 11).
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	accepted := BodyTypes(r.Method)
	if err == nil && slices.Contains(accepted, mediaType) {
		return nil
	}
	return ContentTypeRefused(accepted...)
}

// BodyTypes returns the media types of a JSON body that Decode reads in a request of the method.
func BodyTypes(method string) []string {
	if method == http.MethodPatch {
		return []string{ContentTypeMergePatch, ContentTypeJSON}
	}
	return []string{ContentTypeJSON}
}

// ContentTypeRefused returns the 415 problem for a body of another media type than those that are accepted.
func ContentTypeRefused(accepted ...string) *problem.Error {
	rule := "must be " + strings.Join(accepted, " or ")
	return problem.New(problem.UnsupportedMediaType, "unsupported_media_type", "The Content-Type "+rule+".").
		WithFields(problem.FieldError{Pointer: "Content-Type", Detail: rule})
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

// unmarshalFault returns the fault of a value that walk does not look into, such as the key of a map.
func unmarshalFault(err error) problem.FieldError {
	if mismatch, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return problem.FieldError{Pointer: fieldPointer(mismatch.Field), Detail: "has a wrong type"}
	}
	return problem.FieldError{Detail: "is not a valid value"}
}
