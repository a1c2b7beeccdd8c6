//go:build !linux && !darwin

package healthcheck

import (
	"context"
	"errors"
)

// TempSpace returns a Run that fails: free space is not known on this system.
func TempSpace(uint64) func(context.Context) error {
	return func(context.Context) error { return errors.New("free space is not known on this system") }
}
