package authddb

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/shared/ddb"
)

const (
	// attemptsLife is how long attempts are kept. They count for auth.Quiet.
	attemptsLife = time.Hour
	// rounds bounds how often a count is tried when another attempt changes the item in between.
	rounds = 4
)

// Attempt implements auth.Store. It is one conditional update for a name with recent attempts or none,
// and a second one for the first attempt after a quiet time.
func (s *Store) Attempt(ctx context.Context, a auth.Attempt) (auth.Failures, bool, error) {
	key := attemptsKey(a.Name)
	var stored attemptsRecord
	for range rounds {
		item, counted, err := s.table.UpdateIf(ctx, key, another(a), mayTry(a))
		if err != nil {
			return auth.Failures{}, false, err
		}
		if stored, err = decodeAttempts(item); err != nil {
			return auth.Failures{}, false, err
		}
		switch {
		case counted, stored.LastID == a.ID: // its own effect
			return stored.failures(), true, nil
		case item == nil: // expired between the update and its answer
			continue
		case !stored.failures().Forgotten(a.At):
			return stored.failures(), false, nil
		}

		item, counted, err = s.table.UpdateIf(ctx, key, first(a), forgotten(a))
		if err != nil {
			return auth.Failures{}, false, err
		}
		if stored, err = decodeAttempts(item); err != nil {
			return auth.Failures{}, false, err
		}
		if counted || stored.LastID == a.ID {
			return stored.failures(), true, nil
		}
	}
	return stored.failures(), false, nil
}

func decodeAttempts(item ddb.Item) (attemptsRecord, error) {
	var r attemptsRecord
	err := ddb.Decode(item, &r)
	return r, err
}

// another counts one more attempt. A repetition of the same update fails mayTry.
func another(a auth.Attempt) expression.UpdateBuilder {
	count := expression.Name("attempts")
	return stamp(expression.Set(count, expression.Plus(expression.IfNotExists(count, expression.Value(0)), expression.Value(1))), a)
}

// first counts the first attempt.
func first(a auth.Attempt) expression.UpdateBuilder {
	return stamp(expression.Set(expression.Name("attempts"), expression.Value(1)), a)
}

func stamp(change expression.UpdateBuilder, a auth.Attempt) expression.UpdateBuilder {
	return change.
		Set(expression.Name("last_at"), expression.Value(a.At.UnixMilli())).
		Set(expression.Name("last_id"), expression.Value(a.ID)).
		Set(expression.Name("ttl"), expression.Value(a.At.Add(attemptsLife).Unix()))
}

// mayTry is auth.Failures.Locked as a condition: the name was never tried, or the attempts count and
// the wait after the last of them is over.
func mayTry(a auth.Attempt) expression.ConditionBuilder {
	count, last := expression.Name("attempts"), expression.Name("last_at")
	waited := count.LessThan(expression.Value(auth.FreeAttempts))
	for n := int64(auth.FreeAttempts); auth.Wait(n) < auth.Quiet; n++ {
		waited = waited.Or(count.Equal(expression.Value(n)).
			And(last.LessThanEqual(expression.Value(a.At.Add(-auth.Wait(n)).UnixMilli()))))
	}
	counts := last.GreaterThan(expression.Value(a.At.Add(-auth.Quiet).UnixMilli()))
	other := expression.Name("last_id").NotEqual(expression.Value(a.ID))
	return ddb.Absent().Or(other.And(counts, waited))
}

// forgotten is auth.Failures.Forgotten as a condition.
func forgotten(a auth.Attempt) expression.ConditionBuilder {
	return expression.Name("last_at").LessThanEqual(expression.Value(a.At.Add(-auth.Quiet).UnixMilli()))
}

// ResetAttempts implements auth.Store. A name without attempts gets no item.
func (s *Store) ResetAttempts(ctx context.Context, names ...string) error {
	none := expression.Set(expression.Name("attempts"), expression.Value(0))
	for _, name := range names {
		if _, _, err := s.table.UpdateIf(ctx, attemptsKey(name), none, ddb.Present()); err != nil {
			return err
		}
	}
	return nil
}
