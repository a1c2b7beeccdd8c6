// Package customersddb keeps profiles in DynamoDB.
//
//	PK             SK        item
//	CUST#<id>      PROFILE   a customer's profile
package customersddb

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/tienda-dev/tienda/functions/customers"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/ddb"
)

// errTaken: the id is in use, which cannot happen to a new user's.
var errTaken = errors.New("customersddb: the customer exists")

// Store is the customers.Store on a table. It is safe for concurrent use.
type Store struct {
	table *ddb.Table
}

var _ customers.Store = (*Store)(nil)

// New returns a store on the table. It panics when the table is nil, which no input can cause.
func New(table *ddb.Table) *Store {
	if table == nil {
		panic("customersddb: New needs a table")
	}
	return &Store{table: table}
}

// Add returns the writes that create a profile, for the transaction that creates its user.
func (s *Store) Add(id, email, name string, at time.Time) []ddb.Write {
	created := api.NewTime(at)
	r := newRecord(customers.Customer{ID: id, Email: email, Name: name, Version: 1, CreatedAt: created, UpdatedAt: created})
	return []ddb.Write{s.table.Put(r).If(ddb.Absent(), errTaken)}
}

// Get implements customers.Store.
func (s *Store) Get(ctx context.Context, id string) (customers.Customer, error) {
	r, found, err := s.read(ctx, id)
	if err != nil {
		return customers.Customer{}, err
	}
	if !found {
		return customers.Customer{}, customers.ErrNotFound
	}
	return r.customer(), nil
}

// Guessable returns the e-mail address and the name of a profile, which a password must not be. It is empty for an id
// without a profile.
func (s *Store) Guessable(ctx context.Context, id string) ([]string, error) {
	r, found, err := s.read(ctx, id)
	if err != nil || !found {
		return nil, err
	}
	return []string{r.Email, r.Name}, nil
}

func (s *Store) read(ctx context.Context, id string) (r record, found bool, err error) {
	found, err = s.table.Get(ctx, key(id), &r, true)
	return r, found, err
}

// Update implements customers.Store.
func (s *Store) Update(ctx context.Context, before, after customers.Customer) error {
	if after.ID != before.ID || after.Email != before.Email || after.Version != before.Version+1 {
		return errors.New("customersddb: an update keeps id and e-mail address and has the next version")
	}
	next := newRecord(after)
	unchanged := expression.Name("version").Equal(expression.Value(before.Version))
	return ddb.Commit(ctx, s.table.Client(), s.table.Put(next).IfElse(unchanged, func(old ddb.Item) error {
		if old == nil {
			return customers.ErrNotFound
		}
		var stored record
		if err := ddb.Decode(old, &stored); err != nil {
			return err
		}
		if stored == next {
			return ddb.ErrDone
		}
		return customers.ErrStale
	}))
}

// record is a profile's item. Times are in milliseconds since 1970.
type record struct {
	PK        string `dynamodbav:"PK"`
	SK        string `dynamodbav:"SK"`
	ID        string `dynamodbav:"id"`
	Email     string `dynamodbav:"email"`
	Name      string `dynamodbav:"name"`
	Version   int64  `dynamodbav:"version"`
	CreatedAt int64  `dynamodbav:"created_at"`
	UpdatedAt int64  `dynamodbav:"updated_at"`
}

func key(id string) ddb.Key { return ddb.Key{PK: "CUST#" + id, SK: "PROFILE"} }

func newRecord(c customers.Customer) record {
	k := key(c.ID)
	return record{
		PK: k.PK, SK: k.SK, ID: c.ID, Email: c.Email, Name: c.Name, Version: c.Version,
		CreatedAt: c.CreatedAt.UnixMilli(), UpdatedAt: c.UpdatedAt.UnixMilli(),
	}
}

func (r record) customer() customers.Customer {
	return customers.Customer{
		ID: r.ID, Email: r.Email, Name: r.Name, Version: r.Version,
		CreatedAt: api.NewTime(ddb.FromMillis(r.CreatedAt)), UpdatedAt: api.NewTime(ddb.FromMillis(r.UpdatedAt)),
	}
}
