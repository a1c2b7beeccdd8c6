package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/session"
)

const (
	// endLimit bounds the end of an attempt. The attempt itself must be over as long before the request's
	// deadline.
	endLimit = 3 * time.Second
	// endTries is how often its end is tried.
	endTries = 3
	// placeLimit bounds the wait for a place.
	placeLimit = 5 * time.Second
	// The pauses between two requests for a place double from the first to the last.
	firstPause, lastPause = 10 * time.Millisecond, 80 * time.Millisecond
)

var (
	errNoPlace  = errors.New("auth: attempts in flight have all places")
	errPanicked = errors.New("auth: the attempt ended in a panic")
)

// attempt makes one attempt of the name at the address of place. read runs in parallel with the request for a place,
// check after both; check returns nil for a right password, ErrInvalidCredentials or ErrWrongPassword for a wrong
// one. Any other end, an outage or a timeout, says nothing about the password, and the attempt is taken back. who is
// the field that names the user in a security event.
func (a *PasswordLogin) attempt(ctx context.Context, place Attempt, who zap.Field, read, check func(context.Context) error) error {
	limited, cancel := ctx, func() {}
	if deadline, ok := ctx.Deadline(); ok {
		limited, cancel = context.WithDeadline(ctx, deadline.Add(-endLimit))
	}
	defer cancel()

	place.ID = rand.Text()
	taken := false // or perhaps taken
	err := errPanicked
	defer func() {
		if taken {
			a.end(ctx, place, who, err)
		}
	}()
	group, groupCtx := errgroup.WithContext(limited)
	group.Go(func() error { return a.takePlace(groupCtx, &place, &taken) })
	group.Go(func() error { return read(groupCtx) })
	if groupErr := group.Wait(); groupErr != nil {
		err = groupErr
		return err
	}
	err = check(limited)
	return err
}

// takePlace waits for a place for the attempt. It returns 429 while the name must wait for its failures. taken
// is true after it when the attempt has a place or may have one.
func (a *PasswordLogin) takePlace(ctx context.Context, place *Attempt, taken *bool) error {
	limited, cancel := context.WithTimeout(ctx, placeLimit)
	defer cancel()
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		place.At = milliseconds(a.now())
		*taken = true
		failures, admission, err := a.store.Attempt(ctx, *place)
		if err != nil || admission == Admitted {
			return err
		}
		*taken = false
		if admission == Locked {
			return locked(failures.Locked(place.At))
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-limited.Done():
			timer.Stop()
			if err := ctx.Err(); err != nil {
				return err
			}
			return session.ErrUnavailable.WithCause(errNoPlace)
		}
	}
}

// end gives the place back, with the verdict that err is. It does so after the request's time too. If it
// fails, the answer is the same: the attempt counts as one in flight, and as a failure after AttemptLife.
func (a *PasswordLogin) end(ctx context.Context, place Attempt, who zap.Field, err error) {
	verdict := NoVerdict
	switch {
	case err == nil:
		verdict = Right
	case errors.Is(err, ErrInvalidCredentials), errors.Is(err, ErrWrongPassword):
		verdict = Wrong
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), endLimit)
	defer cancel()
	var failures Failures
	for range endTries {
		if failures, err = a.store.EndAttempt(limited, place, verdict, milliseconds(a.now())); err == nil || limited.Err() != nil {
			break
		}
	}
	switch {
	case err != nil:
		logging.From(ctx).Warn("attempt not ended", logging.Error(err))
	case verdict == Wrong:
		logLocked(ctx, failures, who)
	}
}
