package logging_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/shared/logging"
)

func TestPanicked(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		do   func()
		want string
	}{
		"Text":    {func() { panic("canary") }, "panic with a string"},
		"Error":   {func() { panic(errors.New("canary")) }, "panic with a *errors.errorString"},
		"Runtime": {func() { _ = []int{}[len(os.Args)] }, "panic: runtime error: index out of range"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				err := logging.Panicked(recover())
				if got := err.Error(); !strings.HasPrefix(got, tc.want) || strings.Contains(got, "canary") {
					t.Errorf("got %q, want %q", got, tc.want)
				}
				stack, ok := err.(interface{ Stack() string })
				if !ok || !strings.Contains(stack.Stack(), "TestPanicked") {
					t.Error("the stack does not contain the panic")
				}
			}()
			tc.do()
		})
	}
}
