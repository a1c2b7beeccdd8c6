package secrets_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/clock/clocktest"
	"github.com/tienda-dev/tienda/shared/secrets"
)

// A frozen environment stops the monotonic clock: a secret ages by the wall clock. A clock that is set back
// keeps neither an old value nor the pause after a failure.
func TestSecretAgesByTheWallClock(t *testing.T) {
	t.Parallel()
	for _, moved := range []time.Duration{time.Hour, -time.Hour} {
		stalled, st := clocktest.New(t), &store{}
		secret := open(t, secretARN, st, secrets.Config{Clock: stalled.Now})
		secret.Get(t.Context())
		if got := st.calls.Load(); got != 1 {
			t.Errorf("%d calls for a young secret, want 1", got)
		}
		stalled.Move(moved)
		st.err = errors.New("busy")
		secret.Get(t.Context())
		secret.Get(t.Context())
		if got := st.calls.Load(); got != 2 {
			t.Errorf("%d calls after %v, want 2", got, moved)
		}
		stalled.Move(moved)
		secret.Get(t.Context())
		if got := st.calls.Load(); got != 3 {
			t.Errorf("%d calls after the pause and %v, want 3", got, moved)
		}
	}
}
