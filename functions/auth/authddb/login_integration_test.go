//go:build integration

package authddb_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/functions/auth/authddb"
	"github.com/tienda-dev/tienda/functions/auth/authtest"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
	"github.com/tienda-dev/tienda/shared/password"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/session"
	"github.com/tienda-dev/tienda/shared/session/sessionddb"
	"github.com/tienda-dev/tienda/shared/session/sessiontest"
)

const (
	email   = "maria@shop.example"
	rightPW = "correct horse battery staple"
)

// newLogin returns the login of a user with rightPW on a table, whose requests get the faults.
func newLogin(t *testing.T) (login func(password string) error, faults *ddbtest.Faults) {
	t.Helper()
	faults = &ddbtest.Faults{}
	table := ddbtest.Table(t, faults.Option)
	hasher, err := password.New(password.Config{Params: password.Params{MemoryKiB: 64, Passes: 1}})
	if err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return authtest.Time(0) }
	manager, err := session.New(session.Config{}, sessionddb.New(table), sessiontest.NewTokens(t, now).Keys, now)
	if err != nil {
		t.Fatal(err)
	}
	key := func(context.Context) []byte { return []byte(strings.Repeat("i", auth.MinIdentifierKey)) }
	store := authddb.New(table, profiles{ddbtest.Table(t)})
	if _, err := auth.NewRegistrar(store, hasher, ratelimit.Disabled(), key, now).Register(t.Context(), email, rightPW, "María"); err != nil {
		t.Fatal(err)
	}
	users := auth.NewPasswordLogin(store, hasher, manager, auth.NoLimits(), key, now)
	return func(password string) error {
		_, err := users.Login(t.Context(), email, password, session.Device{})
		return err
	}, faults
}

func TestOutageOfReadsLocksNobodyOut(t *testing.T) {
	t.Parallel()
	login, faults := newLogin(t)
	for range 1000 {
		faults.Inject("BatchGetItem", ddbtest.Refuse)
	}
	for range 9 {
		if err := login(rightPW); !errors.Is(err, ddb.ErrUnavailable) {
			t.Errorf("got %v, want %v", err, ddb.ErrUnavailable)
		}
	}
	*faults = ddbtest.Faults{} // the database is back
	if err := login(rightPW); err != nil {
		t.Errorf("after the outage: %v", err)
	}
}

func TestPasswordsAtOnce(t *testing.T) {
	t.Parallel()
	login, _ := newLogin(t)
	atOnce := func(n int, password string) (errs []error) {
		errs = make([]error, n)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() { errs[i] = login(password) })
		}
		wg.Wait()
		return errs
	}
	for _, err := range atOnce(16, rightPW) {
		if err != nil {
			t.Errorf("a right password: %v", err)
		}
	}
	wrong := 0
	for _, err := range atOnce(100, "wrong") {
		if errors.Is(err, auth.ErrInvalidCredentials) {
			wrong++
		} else if err == nil || errors.Is(err, ddb.ErrUnavailable) {
			t.Errorf("a wrong password: %v", err)
		}
	}
	if wrong != auth.FreeAttempts {
		t.Errorf("%d of the guesses at once were answered, want %d", wrong, auth.FreeAttempts)
	}
}
