package auth

import (
	"errors"
	"io"
	"mime"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/problem"
)

const contentTypeForm = "application/x-www-form-urlencoded"

// tokenForm is the body of an introspection and of a revocation (RFC 7662 section 2.1, RFC 7009
// section 2.1).
type tokenForm struct {
	// Token is not empty.
	Token string `json:"token"`
	// Hint is the kind of token that the client expects; may be empty or unknown.
	Hint string `json:"token_type_hint"`
}

// decodeTokenForm reads the form. It ignores parameters that it does not know, as RFC 6749 section 3.2
// requires, and refuses a repeated one of its own.
func decodeTokenForm(r *http.Request) (tokenForm, error) {
	if err := api.CheckContentEncoding(r); err != nil {
		return tokenForm{}, err
	}
	if mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || mediaType != contentTypeForm {
		return tokenForm{}, api.ContentTypeRefused(contentTypeForm)
	}
	body, err := io.ReadAll(r.Body)
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tokenForm{}, api.BodyTooLarge(tooLarge.Limit)
	}
	if err != nil {
		return tokenForm{}, invalidRequest("The request body could not be read.").WithCause(err)
	}
	// Not r.PostForm, and not r.Form, which reads the query as well: a token must not be in a URL.
	values, broken := api.Parameters(string(body), "token", "token_type_hint")
	if broken != nil {
		return tokenForm{}, invalidRequest("The form is not well-formed.").WithFields(*broken)
	}
	for name, all := range values {
		if len(all) > 1 {
			return tokenForm{}, invalidRequest("A parameter is given twice.").
				WithFields(problem.FieldError{Pointer: name, Detail: "is given twice"})
		}
	}
	if values.Get("token") == "" {
		return tokenForm{}, invalidRequest("The form must have a token.").
			WithFields(problem.FieldError{Pointer: "token", Detail: "is required"})
	}
	return tokenForm{Token: values.Get("token"), Hint: values.Get("token_type_hint")}, nil
}

// invalidRequest is the error of RFC 6749 section 5.2.
func invalidRequest(detail string) *problem.Error {
	return problem.New(problem.BadRequest, "invalid_request", detail)
}

// noStore keeps a response about tokens out of every cache, HTTP/1.0's too (RFC 6749 section 5.1).
func noStore(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache")
}
