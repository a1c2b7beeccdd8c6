package logging

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
)

// Panicked returns the error of a recovered panic, for the log: the type of the value, its text only
// when the runtime wrote it, and the stack. Any other text may quote the request. Call it in the
// deferred function that recovers, so that the stack is the panic's.
func Panicked(value any) error {
	err := fmt.Errorf("panic with a %T", value)
	if fault, ok := value.(runtime.Error); ok {
		err = fmt.Errorf("panic: %w", fault)
	}
	return WithStack(&panicError{err}, debug.Stack())
}

// IsPanic reports whether err is from Panicked.
func IsPanic(err error) bool {
	_, ok := errors.AsType[*panicError](err)
	return ok
}

// panicError marks the error of a panic.
type panicError struct{ error }

func (e *panicError) Unwrap() error { return e.error }
