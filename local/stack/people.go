package stack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/tienda-dev/tienda/shared/logging"
)

// painter colours text for a terminal if it is true.
type painter bool

// The colours of a terminal. (ECMA-48, SGR.)
const (
	red    = "31"
	green  = "32"
	yellow = "33"
	dim    = "2"
)

func (p painter) color(code, text string) string {
	if !p {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (p painter) dim(text string) string { return p.color(dim, text) }

func (p painter) status(status int) string {
	code := green
	switch {
	case status >= 500:
		code = red
	case status >= 400:
		code = yellow
	}
	return p.color(code, strconv.Itoa(status))
}

func (p painter) level(level string) string {
	switch level {
	case "ERROR", "FATAL":
		return p.color(red, level)
	case "WARN":
		return p.color(yellow, level)
	}
	return p.dim(level)
}

// The messages of the line that a function writes for each request, and for each event that is none.
const (
	messageRequest    = "request"
	messageInvocation = "invocation"
)

// hidden returns the fields that people are not shown: constants of the function, ids for queries over many
// lines, and what the line of the request has.
func hidden() []string {
	return []string{
		logging.KeyLevel, logging.KeyMessage, logging.KeyTimestamp, logging.KeyService, logging.KeyLogger, logging.KeyLocation,
		logging.KeyColdStart, logging.KeyFunctionName, logging.KeyFunctionVersion, logging.KeyFunctionMemorySize,
		logging.KeyFunctionARN, logging.KeyFunctionRequestID, logging.KeyCorrelationID, logging.KeyXRayTraceID,
		"http_method", "http_route", "http_status", "response_bytes", "duration_ms", "error_code",
	}
}

// forPeople returns a function's line as people read it: "WARN message name=value". It is empty for a line
// that only repeats the request, and for metrics. Text that is not a log line is returned as it is.
func forPeople(paint painter, text string) string {
	fields, keys := object(text)
	level, message := plain(fields[logging.KeyLevel]), plain(fields[logging.KeyMessage])
	switch {
	case fields["_aws"] != nil: // CloudWatch's embedded metric format
		return ""
	case fields == nil || level == "" || message == "":
		return text
	case level == "INFO" && (message == messageRequest || message == messageInvocation):
		return ""
	}

	var b strings.Builder
	b.WriteString(paint.level(level))
	if message != messageRequest {
		b.WriteString(" " + printable(message))
	}
	var cause struct {
		Type    string `json:"type"`
		Message string `json:"message"`
		Stack   string `json:"stack"`
	}
	if json.Unmarshal(fields[logging.KeyError], &cause) == nil && cause.Message != "" {
		b.WriteString(" " + printable(cause.Message))
	} else {
		cause.Stack = ""
	}
	for _, key := range keys {
		if slices.Contains(hidden(), key) || key == logging.KeyError && cause.Message != "" {
			continue
		}
		b.WriteString(" " + paint.dim(printable(key)+"=") + printable(plain(fields[key])))
	}
	for line := range strings.Lines(cause.Stack) {
		b.WriteString("\n    " + printable(strings.TrimRight(line, "\n")))
	}
	return b.String()
}

// object returns the members of a JSON object and their names in order, nil if text is none.
func object(text string) (map[string]json.RawMessage, []string) {
	decoder := json.NewDecoder(strings.NewReader(text))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return nil, nil
	}
	fields := map[string]json.RawMessage{}
	var keys []string
	for decoder.More() {
		key, err := decoder.Token()
		var value json.RawMessage
		if err != nil || decoder.Decode(&value) != nil {
			return nil, nil
		}
		name := fmt.Sprint(key)
		if fields[name] == nil {
			keys = append(keys, name)
		}
		fields[name] = value
	}
	return fields, keys
}

// plain returns a JSON value as text, a string without its quotes.
func plain(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(bytes.TrimSpace(raw))
}

// printable escapes what could start a line or drive a terminal.
func printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
	}
	return b.String()
}
