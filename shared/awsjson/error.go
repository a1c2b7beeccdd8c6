package awsjson

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/tienda-dev/tienda/shared/metrics"
)

// Error is a call that failed: refused by the service, or broken off. Its text has no part of the
// service's message, which may quote what was sent.
type Error struct {
	// Operation is what was called ("BatchGetItem").
	Operation string
	// Status is the HTTP status, 0 when there was no answer.
	Status int
	// Code is the service's error code; empty when it gave none.
	Code string
	// Message is the service's text. It may quote the request.
	Message string
	// RequestID is the service's id of the request.
	RequestID string
	// Transient says that the same call may succeed later.
	Transient bool

	cause error
}

// Error says which operation failed and how.
func (e *Error) Error() string {
	if e.cause != nil {
		return e.Operation + ": " + e.cause.Error()
	}
	text := e.Operation + ": " + strconv.Itoa(e.Status)
	if e.Code != "" {
		text += " " + e.Code
	}
	if e.RequestID != "" {
		text += " (request " + e.RequestID + ")"
	}
	return text
}

// ErrorCode returns Code, as the errors of the SDK do.
func (e *Error) ErrorCode() string { return e.Code }

// throttled reports whether the service refused the attempt because of too many requests.
func (e *Error) throttled() bool {
	switch e.Code {
	case "Throttling", "ThrottlingException", "TooManyRequestsException", "ProvisionedThroughputExceededException", "RequestLimitExceeded":
		return true
	default:
		return false
	}
}

// errorType returns the class of the failure in metrics.
func (e *Error) errorType(ctx context.Context) string {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded), errors.Is(e.cause, context.DeadlineExceeded):
		return metrics.ErrorTimeout
	case e.Code != "":
		return e.Code
	case e.Status >= http.StatusBadRequest:
		return strconv.Itoa(e.Status)
	default:
		return metrics.Other
	}
}

// refusal reads an answer other than 200.
func refusal(target string, response *http.Response, answer []byte) *Error {
	e := &Error{Operation: operation(target), Status: response.StatusCode, RequestID: response.Header.Get("X-Amzn-Requestid")}
	var body struct {
		Type    string `json:"__type"`
		Message string // "Message" with some services
	}
	if json.Unmarshal(answer, &body) == nil {
		e.Code, e.Message = body.Type[strings.LastIndexByte(body.Type, '#')+1:], body.Message
	}
	switch e.Code {
	case "RequestTimeout", "RequestTimeoutException", "InternalServerError", "InternalServiceError", "ServiceUnavailable":
		e.Transient = true
	default: // an answer without a code is not the service's: a proxy's page, or a part of an answer
		e.Transient = e.throttled() || e.Code == "" || e.Status >= http.StatusInternalServerError || e.Status == http.StatusTooManyRequests
	}
	return e
}
