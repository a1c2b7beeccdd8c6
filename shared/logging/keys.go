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
	// KeyColdStart tells whether the invocation is the first of its environment.
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
	// KeyError is an object with KeyErrorType, KeyErrorMessage and KeyErrorStack.
	KeyError = "error"
	// KeyErrorType is the Go type of the error, inside KeyError.
	KeyErrorType = "type"
	// KeyErrorMessage is the error's text, inside KeyError.
	KeyErrorMessage = "message"
	// KeyErrorStack is where the error came from, inside KeyError, if the error knows.
	KeyErrorStack = "stack"
)
