package gateway

import (
	"encoding/json"
	"mime"
	"net/http"
)

// otherMethod replaces a method that is not known, so that the values in a log are few.
const otherMethod = "_OTHER"

// method returns the method as the access log has it. (OpenTelemetry semantic conventions,
// http.request.method.)
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return m
	}
	return otherMethod
}

// errorCode returns the member "code" of a problem document, empty for any other answer.
func errorCode(out response) string {
	if kind, _, err := mime.ParseMediaType(out.header.Get("Content-Type")); err != nil || kind != "application/problem+json" {
		return ""
	}
	var problem struct {
		Code string `json:"code"`
	}
	if json.Unmarshal(out.body, &problem) != nil {
		return ""
	}
	return problem.Code
}
