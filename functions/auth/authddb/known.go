package authddb

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/tienda-dev/tienda/shared/ddb"
)

const attrKnownUntil = "known_until"

// knownRecord is an address from which the owner of a name has logged in. The address is a keyed hash.
type knownRecord struct {
	ddb.Key

	// KnownUntil is in milliseconds since 1970.
	KnownUntil int64 `dynamodbav:"known_until"`
}

func knownKey(name, address string) ddb.Key {
	return ddb.Key{PK: attemptsKey(name, "").PK, SK: sortKnown + address}
}

// KnownUntil implements auth.Store.
func (s *Store) KnownUntil(ctx context.Context, name, address string) (time.Time, error) {
	var r knownRecord
	found, err := s.table.Get(ctx, knownKey(name, address), &r, true)
	if err != nil || !found {
		return time.Time{}, err
	}
	return ddb.FromMillis(r.KnownUntil), nil
}

// KnownAddresses implements auth.Store.
func (s *Store) KnownAddresses(ctx context.Context, name string) ([]string, error) {
	return s.addresses(ctx, name, sortKnown)
}

// TriedAddresses implements auth.Store. It returns those of attemptsLife.
func (s *Store) TriedAddresses(ctx context.Context, name string) ([]string, error) {
	return s.addresses(ctx, name, sortAttempts+"#")
}

// addresses returns the addresses of a name's items whose sort key is the prefix and an address.
func (s *Store) addresses(ctx context.Context, name, prefix string) ([]string, error) {
	query := ddb.Query{
		Where: expression.Key("PK").Equal(expression.Value(attemptsKey(name, "").PK)).And(expression.Key("SK").BeginsWith(prefix)),
		Limit: resetPage, Consistent: true,
	}
	var all []string
	for {
		items, next, err := s.table.Query(ctx, query)
		if err != nil {
			return nil, err
		}
		for _, item := range items {
			if key, ok := ddb.KeyOf(item); ok {
				all = append(all, strings.TrimPrefix(key.SK, prefix))
			}
		}
		if next == nil {
			return all, nil
		}
		query.Start = next
	}
}

// Remember implements auth.Store.
func (s *Store) Remember(ctx context.Context, name, address string, until time.Time) error {
	change := expression.Set(expression.Name(attrKnownUntil), expression.Value(until.UnixMilli())).
		Set(expression.Name("ttl"), expression.Value(until.Unix()))
	key := knownKey(name, address)
	_, _, err := s.table.UpdateIf(ctx, key, change, ddb.Absent().Or(ddb.Present()))
	return err
}
