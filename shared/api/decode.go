package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
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
//   - 415 unsupported_media_type: the Content-Type is not JSON;
//   - 413 body_too_large: the body exceeds the route's limit;
//   - 400 malformed_json: empty, not UTF-8, not JSON, nested too deep, a member twice, or
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
	if err := DecodeJSON(body, &in); err != nil {
		return in, err
	}
	if v, ok := any(in).(Validator); ok {
		if broken := v.Validate(); len(broken) > 0 {
			return in, problem.Fields(broken...)
		}
	}
	return in, nil
}

// DecodeJSON is the strict decoding of Decode for a body that was read already. It does not call
// Validate.
func DecodeJSON(body []byte, dst any) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return malformed("The request body is empty.", nil)
	}
	if !utf8.Valid(body) {
		return malformed("The request body is not valid UTF-8.", nil)
	}
	if err := checkMembers(body, dst); err != nil {
		return err
	}
	if err := json.Unmarshal(body, dst); err != nil {
		return unmarshalError(err)
	}
	return nil
}

func checkContentType(r *http.Request) error {
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
			pointer = "/" + strings.ReplaceAll(mismatch.Field, ".", "/")
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
