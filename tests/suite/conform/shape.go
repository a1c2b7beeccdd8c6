package conform

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	faults "github.com/pb33f/libopenapi-validator/errors"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"
)

const (
	typeJSON           = "application/json"
	typeProblem        = "application/problem+json"
	headerContentType  = "Content-Type"
	headerRequestID    = "X-Request-Id"
	headerCacheControl = "Cache-Control"
)

// shape returns what the validator does not check: whether the answer has a body exactly if the document has content
// for its status, and whether it has the headers by which an answer of a function differs from one of API Gateway.
func (e Exchange) shape(operation *v3.Operation) []error {
	var wrong []error
	refuse := func(format string, values ...any) {
		wrong = append(wrong, fmt.Errorf("the answer %d "+format, append([]any{e.Status}, values...)...))
	}
	if documented := operation.Responses.Codes.GetOrZero(strconv.Itoa(e.Status)); documented != nil {
		switch content := documented.Content != nil && documented.Content.Len() > 0; {
		case content && len(e.Body) == 0:
			refuse("has an empty body, and the document has content")
		case !content && len(e.Body) > 0:
			refuse("has a body, and the document has no content: %.100s", e.Body)
		}
	}
	if e.Status < http.StatusBadRequest {
		return wrong // the document requires the headers
	}
	if e.ofGateway() {
		if e.Header.Get(headerRequestID) != "" {
			refuse("has the body of API Gateway and the header %s of a function: %.100s", headerRequestID, e.Body)
		}
		return wrong
	}
	for _, name := range []string{headerRequestID, headerCacheControl} {
		if e.Header.Get(name) == "" {
			refuse("of a function does not have the header %s", name)
		}
	}
	return wrong
}

// ofGateway reports whether the answer is one that API Gateway gives itself: an object with a message alone, or no
// body after HEAD and no request id.
func (e Exchange) ofGateway() bool {
	if e.Request.Method == http.MethodHead {
		return e.Header.Get(headerRequestID) == "" && e.mediaType() == typeJSON
	}
	var body map[string]any
	if e.mediaType() != typeJSON || json.Unmarshal(e.Body, &body) != nil {
		return false
	}
	message, ok := body["message"].(string)
	return ok && message != "" && len(body) == 1
}

func (e Exchange) mediaType() string {
	mediaType, _, err := mime.ParseMediaType(e.Header.Get(headerContentType))
	if err != nil {
		return ""
	}
	return mediaType
}

// unknown returns what is wrong with the answer to a request that the document does not have: the default route
// answers it, and API Gateway what is over its own limits.
func (e Exchange) unknown() error {
	request := e.Request.Method + " " + e.Request.URL.Path
	switch e.Status {
	case http.StatusNotFound, http.StatusRequestEntityTooLarge, http.StatusBadRequest:
	default:
		return fmt.Errorf("%s is not in the document and answers %d", request, e.Status)
	}
	if e.ofGateway() && e.Header.Get(headerRequestID) == "" {
		return nil
	}
	var problem struct {
		Code string `json:"code"`
	}
	if e.Request.Method == http.MethodHead && e.mediaType() == typeProblem && len(e.Body) == 0 {
		return nil
	}
	if e.mediaType() != typeProblem || json.Unmarshal(e.Body, &problem) != nil || e.Status != http.StatusNotFound || problem.Code != codeNoRoute {
		return fmt.Errorf("%s is not in the document and answers %d with %s %.200s, want the code %s or a message of API Gateway",
			request, e.Status, e.Header.Get(headerContentType), e.Body, codeNoRoute)
	}
	return nil
}

// maps are the members of answers whose own members have names that the document does not list.
var maps = regexp.MustCompile(`'\$\.body\.(attributes|data\[\d+\]\.attributes|checks)$`)

// ofMap reports whether an error of strict mode is that the member of a map has a name of its own.
func ofMap(broken *faults.ValidationError) bool {
	if broken.ValidationType != faults.StrictValidationType || broken.ValidationSubType != faults.StrictSubTypeProperty {
		return false
	}
	path, ok := strings.CutSuffix(broken.Message, "' is not declared in schema")
	if !ok {
		return false
	}
	for _, last := range []string{"." + broken.ParameterName, "['" + broken.ParameterName + "']"} {
		if parent, ok := strings.CutSuffix(path, last); ok && maps.MatchString(parent) {
			return true
		}
	}
	return false
}
