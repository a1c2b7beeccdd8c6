package runtime

import "strings"

// Kind says why the platform, not the function, ended an invocation. It is an error itself, so
// errors.Is(err, runtime.Throttled) works.
type Kind string

// The kinds of failure.
const (
	// NotFound: no function of that name.
	NotFound Kind = "not found"
	// Throttled: as many events are in flight as the function's reserved concurrency, or the
	// account's, allows.
	Throttled Kind = "throttled"
	// RequestTooLarge: the event is larger than MaxRequestBytes.
	RequestTooLarge Kind = "request too large"
	// ResponseTooLarge: the answer is larger than MaxResponseBytes.
	ResponseTooLarge Kind = "response too large"
	// Timeout: no answer within the function's timeout; its process was killed.
	Timeout Kind = "timeout"
	// Exit: the process ended before it answered.
	Exit Kind = "exit"
	// Init: the environment did not come up: it exited, reported an error, or took too long.
	Init Kind = "init"
	// Closed: the Runtime was closed.
	Closed Kind = "closed"
)

// Error makes a Kind an error.
func (k Kind) Error() string { return string(k) }

// Error is a failure of the platform.
type Error struct {
	// Kind is what errors.Is compares.
	Kind Kind
	// Function is the name of the function.
	Function string
	// RequestID is Lambda's id of the invocation, empty when there was none.
	RequestID string
	// Message is a sentence for the person at the terminal.
	Message string
	// Cause is the error underneath, or nil.
	Cause error
}

// Error returns the function, the message and the cause.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Function + ": " + e.Message)
	if e.Cause != nil {
		b.WriteString(": " + e.Cause.Error())
	}
	return b.String()
}

// Unwrap returns the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Cause}
}
