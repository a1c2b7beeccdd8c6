package logging

// The key names of a log line, as AWS Lambda Powertools writes them, so that one query reads
// the logs of functions in every language.
const (
	// KeyLevel is the severity: TRACE, DEBUG, INFO, WARN, ERROR or FATAL.
	KeyLevel = "level"
	// KeyMessage is the text of the line.
	KeyMessage = "message"
	// KeyTimestamp is the time in UTC, RFC 3339 with milliseconds.
	KeyTimestamp = "timestamp"
	// KeyService names the service ("OTEL_SERVICE_NAME").
	KeyService = "service"
	// KeyLogger is the name of a zap.Logger made with Named.
	KeyLogger = "logger"
	// KeyLocation is file and line of the call, on ERROR and above only.
	KeyLocation = "location"
	// KeyStackTrace is zap's own stack trace, where a logger was built with zap.AddStacktrace.
	KeyStackTrace = "stack_trace"
	// KeyColdStart is true if the invocation is the first of its environment.
	KeyColdStart = "cold_start"
	// KeyFunctionName is the function's name ("AWS_LAMBDA_FUNCTION_NAME").
	KeyFunctionName = "function_name"
	// KeyFunctionVersion is the published version, or $LATEST.
	KeyFunctionVersion = "function_version"
	// KeyFunctionMemorySize is the function's memory in MB, a number.
	KeyFunctionMemorySize = "function_memory_size"
	// KeyFunctionARN is the ARN that was invoked.
	KeyFunctionARN = "function_arn"
	// KeyFunctionRequestID is Lambda's id of the invocation.
	KeyFunctionRequestID = "function_request_id"
	// KeyCorrelationID is the request id that the client sees (X-Request-Id).
	KeyCorrelationID = "correlation_id"
	// KeyXRayTraceID is the root id of the X-Ray trace ("1-67891233-abcdef012345678912345678").
	KeyXRayTraceID = "xray_trace_id"
	// KeyTraceID is the id of the trace, 32 hex digits (W3C Trace Context).
	KeyTraceID = "trace_id"
	// KeySpanID is the id of the request's span, 16 hex digits.
	KeySpanID = "span_id"
	// KeyError is an object with KeyErrorType, KeyErrorMessage and KeyErrorStack.
	KeyError = "error"
	// KeyErrorType is the Go type of the error, inside KeyError.
	KeyErrorType = "type"
	// KeyErrorMessage is the error's text, inside KeyError.
	KeyErrorMessage = "message"
	// KeyErrorStack is where the error came from, inside KeyError, if the error knows.
	KeyErrorStack = "stack"
)

// KeyDropped is how many lines of an invocation LOG_BUFFER had no room for, a number.
const KeyDropped = "dropped"

// MessageSecurityEvent is the message of a line of its own, at WARN, that somebody should look into.
const MessageSecurityEvent = "security event"

// The keys of security events. Those of sessions are on the access line too.
const (
	// KeySessionEvent is what happened to a session.
	KeySessionEvent = "session_event"
	// KeySessionID is the session to which it happened; may be empty.
	KeySessionID = "session_id"
	// KeySubject is the id of the user to whom it happened; may be empty.
	KeySubject = "subject"
	// KeyReason is why a session ended.
	KeyReason = "reason"
	// KeyPresented is the generation of the refresh token that was presented, a number.
	KeyPresented = "presented"
	// KeyCurrent is the session's own generation, a number.
	KeyCurrent = "current"
	// KeyAccountEvent is what happened to an account.
	KeyAccountEvent = "account_event"
	// KeyBy is the subject of the access token that brought it about.
	KeyBy = "by"
	// KeyRoles is the list of roles that a user was given.
	KeyRoles = "roles"
	// KeyRolesBefore is the list of roles that a user had before.
	KeyRolesBefore = "roles_before"
	// KeyOutcome is OutcomeUnknown when it is not known whether it happened, and absent otherwise.
	KeyOutcome = "outcome"
	// KeyIdentifier is the HMAC of the address of a login. No line has the address.
	KeyIdentifier = "identifier"
	// KeyFailures is how many attempts in a row have failed, a number.
	KeyFailures = "failures"
	// KeyWaitSeconds is how long the next attempt must wait, in whole seconds.
	KeyWaitSeconds = "wait_s"
	// KeyLimitsEvent is what happened to rate limits.
	KeyLimitsEvent = "limits_event"
	// KeyRateClass is the class of the rate limits.
	KeyRateClass = "rate_class"
	// KeyRatePolicies is the list of the names of the rate limits.
	KeyRatePolicies = "rate_limit_policies"
	// KeyRateSource is where the decision of a rate limit comes from, if it is not an ordinary admission.
	KeyRateSource = "rate_limit_source"
)

// OutcomeUnknown is the KeyOutcome of a change whose answer was lost: it may have been made.
const OutcomeUnknown = "unknown"
