package authddb

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/shared/ddb"
)

const (
	// attemptsLife is how long attempts are kept. Failures count for auth.Quiet.
	attemptsLife = time.Hour
	// rounds bounds how often an attempt is tried when another one changes the item in between.
	rounds = 4
	// resetPage is how many addresses a reset reads at once, and resetsAtOnce how many it resets in parallel.
	resetPage    = 100
	resetsAtOnce = 8

	attrFailures = "failures"
	attrLastAt   = "last_at"
	attrOpen     = "open"
)

// attemptsRecord are the failures of a name, and its attempts in flight.
type attemptsRecord struct {
	ddb.Key

	Failures int64 `dynamodbav:"failures"`
	// LastAt is the time of the last failure in milliseconds since 1970.
	LastAt int64 `dynamodbav:"last_at"`
	// Open are the attempts in flight, as placeOf writes them.
	Open []string `dynamodbav:"open,stringset"`
}

// The sort keys of a name's items: its attempts, by address, and the addresses that are known. An earlier version
// counted all addresses under sortAttempts alone.
const (
	sortAttempts = "L"
	sortKnown    = "K#"
)

func attemptsKey(name, address string) ddb.Key {
	key := ddb.Key{PK: "L#" + name, SK: sortAttempts}
	if address != "" {
		key.SK += "#" + address
	}
	return key
}

// placeOf returns the text of an attempt in flight: when it began, in milliseconds since 1970, and its id.
func placeOf(a auth.Attempt) string { return fmt.Sprintf("%015d#%s", a.At.UnixMilli(), a.ID) }

func beganAt(place string) int64 {
	millis, _, _ := strings.Cut(place, "#")
	began, _ := strconv.ParseInt(millis, 10, 64) // 0 is long ago
	return began
}

func (r attemptsRecord) failures() auth.Failures {
	if r.Failures == 0 {
		return auth.Failures{}
	}
	return auth.Failures{Count: r.Failures, LastAt: ddb.FromMillis(r.LastAt)}
}

// dead returns the attempts whose processes have ended without giving their places back.
func (r attemptsRecord) dead(now time.Time) []string {
	var dead []string
	for _, place := range r.Open {
		if now.UnixMilli()-beganAt(place) >= auth.AttemptLife.Milliseconds() {
			dead = append(dead, place)
		}
	}
	return dead
}

func decodeAttempts(item ddb.Item) (attemptsRecord, error) {
	var r attemptsRecord
	err := ddb.Decode(item, &r)
	return r, err
}

// Attempt implements auth.Store. It is one conditional update, unless there are dead attempts in the way, or
// failures that are forgotten: each costs one more before the next try.
func (s *Store) Attempt(ctx context.Context, a auth.Attempt) (auth.Failures, auth.Admission, error) {
	place := placeOf(a)
	take := keep(expression.Add(expression.Name(attrOpen), places(place)), a.At)
	var stored attemptsRecord
	for range rounds {
		item, done, err := s.table.UpdateIf(ctx, attemptsKey(a.Name, a.Address), take, mayTry(a))
		if err != nil {
			return auth.Failures{}, 0, err
		}
		if stored, err = decodeAttempts(item); err != nil {
			return auth.Failures{}, 0, err
		}
		failures, dead := stored.failures(), stored.dead(a.At)
		switch {
		case done, slices.Contains(stored.Open, place): // its own effect
			return failures, auth.Admitted, nil
		case item == nil: // expired between the update and its answer
		case len(dead) > 0:
			err = s.bury(ctx, a, stored, dead)
		case failures.Count > 0 && failures.Forgotten(a.At):
			err = s.forget(ctx, a, stored)
		case failures.Locked(a.At) > 0:
			return failures, auth.Locked, nil
		default:
			return failures, auth.Busy, nil
		}
		if err != nil {
			return auth.Failures{}, 0, err
		}
	}
	return stored.failures(), auth.Busy, nil
}

// EndAttempt implements auth.Store.
func (s *Store) EndAttempt(ctx context.Context, a auth.Attempt, verdict auth.Verdict, at time.Time) (auth.Failures, error) {
	place := placeOf(a)
	failures := expression.Name(attrFailures)
	change := keep(expression.Delete(expression.Name(attrOpen), places(place)), at)
	condition := expression.Contains(expression.Name(attrOpen), place)
	switch verdict {
	case auth.Right:
		change, condition = change.Set(failures, expression.Value(0)), condition.Or(failures.GreaterThan(expression.Value(0)))
	case auth.Wrong:
		change = change.
			Set(failures, expression.Plus(expression.IfNotExists(failures, expression.Value(0)), expression.Value(1))).
			Set(expression.Name(attrLastAt), expression.Value(at.UnixMilli()))
	case auth.NoVerdict:
	}
	item, _, err := s.table.UpdateIf(ctx, attemptsKey(a.Name, a.Address), change, condition)
	if err != nil {
		return auth.Failures{}, err
	}
	stored, err := decodeAttempts(item)
	return stored.failures(), err
}

// bury makes failures of the dead attempts, unless the item has changed.
func (s *Store) bury(ctx context.Context, a auth.Attempt, stored attemptsRecord, dead []string) error {
	last := stored.LastAt
	unchanged := sameFailures(stored)
	for _, place := range dead {
		last = max(last, beganAt(place))
		unchanged = unchanged.And(expression.Contains(expression.Name(attrOpen), place))
	}
	change := keep(expression.Delete(expression.Name(attrOpen), places(dead...)), a.At).
		Set(expression.Name(attrFailures), expression.Value(stored.Failures+int64(len(dead)))).
		Set(expression.Name(attrLastAt), expression.Value(last))
	_, _, err := s.table.UpdateIf(ctx, attemptsKey(a.Name, a.Address), change, unchanged)
	return err
}

// forget sets the failures to none, unless the item has changed.
func (s *Store) forget(ctx context.Context, a auth.Attempt, stored attemptsRecord) error {
	change := keep(expression.Set(expression.Name(attrFailures), expression.Value(0)), a.At)
	_, _, err := s.table.UpdateIf(ctx, attemptsKey(a.Name, a.Address), change, sameFailures(stored).
		And(expression.Name(attrLastAt).Equal(expression.Value(stored.LastAt))))
	return err
}

func sameFailures(stored attemptsRecord) expression.ConditionBuilder {
	failures := expression.Name(attrFailures)
	same := failures.Equal(expression.Value(stored.Failures))
	if stored.Failures == 0 {
		same = same.Or(expression.AttributeNotExists(failures))
	}
	return same
}

func places(of ...string) expression.ValueBuilder {
	return expression.Value(&types.AttributeValueMemberSS{Value: of})
}

// keep keeps the item from now on for attemptsLife.
func keep(change expression.UpdateBuilder, now time.Time) expression.UpdateBuilder {
	return change.Set(expression.Name("ttl"), expression.Value(now.Add(attemptsLife).Unix()))
}

// mayTry is auth.Failures.Locked and auth.Places as a condition. It fails for an attempt that has its place.
func mayTry(a auth.Attempt) expression.ConditionBuilder {
	count, last, open := expression.Name(attrFailures), expression.Name(attrLastAt), expression.Name(attrOpen)
	free := func(failures int64) expression.ConditionBuilder {
		return expression.AttributeNotExists(open).Or(open.Size().LessThan(expression.Value(auth.Places(failures))))
	}
	few := count.Equal(expression.Value(1)).And(free(1))
	for n := int64(2); n < auth.FreeAttempts; n++ {
		few = few.Or(count.Equal(expression.Value(n)).And(free(n)))
	}
	waited := count.Equal(expression.Value(auth.FreeAttempts)).
		And(last.LessThanEqual(expression.Value(a.At.Add(-auth.Wait(auth.FreeAttempts)).UnixMilli())))
	for n := int64(auth.FreeAttempts + 1); auth.Wait(n) < auth.Quiet; n++ {
		waited = waited.Or(count.Equal(expression.Value(n)).
			And(last.LessThanEqual(expression.Value(a.At.Add(-auth.Wait(n)).UnixMilli()))))
	}
	counts := last.GreaterThan(expression.Value(a.At.Add(-auth.Quiet).UnixMilli()))
	none := expression.AttributeNotExists(count).Or(count.Equal(expression.Value(0)))
	admitted := none.And(free(0)).Or(counts.And(few.Or(waited.And(free(auth.FreeAttempts)))))
	return expression.Not(expression.Contains(open, placeOf(a))).And(admitted)
}

// ResetAttempts implements auth.Store. It reads which addresses have tried; a name without attempts gets no item.
func (s *Store) ResetAttempts(ctx context.Context, names ...string) error {
	for _, name := range names {
		query := ddb.Query{
			Where: expression.Key("PK").Equal(expression.Value(attemptsKey(name, "").PK)).And(expression.Key("SK").BeginsWith(sortAttempts)),
			Limit: resetPage, Consistent: true,
		}
		for {
			items, next, err := s.table.Query(ctx, query)
			if err != nil {
				return err
			}
			if err := s.reset(ctx, items); err != nil {
				return err
			}
			if next == nil {
				break
			}
			query.Start = next
		}
	}
	return nil
}

func (s *Store) reset(ctx context.Context, items []ddb.Item) error {
	none := expression.Set(expression.Name(attrFailures), expression.Value(0)).Remove(expression.Name(attrOpen))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(resetsAtOnce)
	for _, item := range items {
		key, ok := ddb.KeyOf(item)
		if !ok {
			continue
		}
		group.Go(func() error {
			_, _, err := s.table.UpdateIf(groupCtx, key, none, ddb.Present())
			return err
		})
	}
	return group.Wait()
}
