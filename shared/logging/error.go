package logging

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Error returns the field KeyError: an object with the error's type, message and, where an error
// of the chain has a method Stack() string, the stack. zap.Error gives the same on this
// package's loggers; Error also on others.
func Error(err error) zap.Field {
	if err == nil {
		return zap.Skip()
	}
	return zap.Object(KeyError, errorObject{err})
}

// WithStack returns err with a stack for the log, such as that of a recovered panic
// (runtime/debug.Stack). A nil err stays nil.
func WithStack(err error, stack []byte) error {
	if err == nil {
		return nil
	}
	return &stackError{error: err, stack: string(stack)}
}

type stackError struct {
	error
	stack string
}

func (e *stackError) Unwrap() error { return e.error }

// Stack returns the stack that WithStack was given.
func (e *stackError) Stack() string { return e.stack }

// structured returns fields with every error as an object. It copies only when there is one.
func structured(fields []zapcore.Field) []zapcore.Field {
	isError := func(f zapcore.Field) bool { return f.Type == zapcore.ErrorType }
	if !slices.ContainsFunc(fields, isError) {
		return fields
	}

	fields = slices.Clone(fields)
	for i, f := range fields {
		if err, ok := f.Interface.(error); ok && isError(f) {
			fields[i] = zap.Object(f.Key, errorObject{err})
		}
	}
	return fields
}

type errorObject struct{ err error }

// MarshalLogObject writes type, message and stack. An Error method that panics is reported as
// such: logging a failure must not be the next one.
func (o errorObject) MarshalLogObject(enc zapcore.ObjectEncoder) (err error) {
	enc.AddString(KeyErrorType, errorType(o.err))
	defer func() {
		if p := recover(); p != nil {
			enc.AddString(KeyErrorMessage, panicMessage(o.err, p))
		}
	}()

	enc.AddString(KeyErrorMessage, o.err.Error())
	var traced interface{ Stack() string }
	if errors.As(o.err, &traced) {
		enc.AddString(KeyErrorStack, traced.Stack())
	}
	return nil
}

func panicMessage(err error, p any) string {
	if v := reflect.ValueOf(err); v.Kind() == reflect.Pointer && v.IsNil() {
		return "<nil>"
	}
	return fmt.Sprintf("PANIC=%v", p)
}

// errorType returns the outermost meaningful type of the chain: wrappers that only add
// text or a stack are skipped.
func errorType(err error) string {
	for {
		name := reflect.TypeOf(err).String()
		if name != "*fmt.wrapError" && name != "*logging.stackError" && name != "*logging.panicError" {
			return name
		}
		inner := errors.Unwrap(err)
		if inner == nil {
			return name
		}
		err = inner
	}
}
