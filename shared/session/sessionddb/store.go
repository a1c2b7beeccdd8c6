// Package sessionddb keeps sessions in DynamoDB.
//
//	PK          SK  item
//	S#<id>      S   session; in GSI1 by its subject until it is revoked
//	U#<subject> A   account: the subject's epoch and the version of its roles
//	R#<jti>     R   one revoked access token
//	G           A   the global epoch
//
// Times are in milliseconds since 1970, but for ttl, which is in seconds and only cleans up: expiry
// is always compared in code. GSI1 is for lists ("my devices"), GSI1PK is U#<subject>, GSI1SK
// <created at, 15 digits>#<id>; projecting its keys is enough, and keeps a refresh at one write unit.
//
// A user store adds SetAuthz to the transaction that changes a user's roles. Roles and passwords do not belong
// into the account item: every role that ends sessions may write it.
//
// What each call costs, in round trips, write units (WCU) and read units (RCU), for items below 1 KB:
//
//	Create                     1   1 WCU, 1 more for the index
//	Rotate                     1   1 WCU
//	Revoke                     1   1 WCU, 1 more for the index
//	RevokeSubject, RaiseAuthz  1   1 WCU
//	RevokeEverybody            1   1 WCU
//	RevokeToken                1   1 WCU
//	State                      1   0.5 RCU an item, twice that when strong
//	List                       2   0.5 RCU, and 1 a session
package sessionddb

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/session"
	"github.com/tienda-dev/tienda/shared/session/internal/layout"
)

// keepFor is how long an item is kept after its last token has expired: longer than clocks differ.
const keepFor = 24 * time.Hour

// Store is the session.Store on a table with the index GSI1. It is safe for concurrent use.
type Store struct {
	table *ddb.Table
}

var _ session.Store = (*Store)(nil)

// New returns a store on the table. It panics when the table is nil, which no input can cause.
func New(table *ddb.Table) *Store {
	if table == nil {
		panic("sessionddb: New needs a table")
	}
	return &Store{table: table}
}

// Create implements session.Store. The id is new, so an item with it and the same rotation was written by
// this call.
func (s *Store) Create(ctx context.Context, created session.Session) error {
	return s.table.PutNew(ctx, newRecord(created), attrRotationID, errTaken)
}

// Rotate implements session.Store.
func (s *Store) Rotate(ctx context.Context, r session.Rotation) (session.Session, bool, error) {
	now := expression.Value(r.At.UnixMilli())
	change := expression.
		Set(expression.Name(attrGeneration), expression.Value(r.Presented+1)).
		Set(expression.Name(attrRotatedAt), now).
		Set(expression.Name(attrRotationID), expression.Value(r.ID)).
		Set(expression.Name(layout.IdleUntil), expression.Value(r.IdleUntil.UnixMilli()))
	current := expression.Name(attrGeneration).Equal(expression.Value(r.Presented)).
		And(expression.Name(layout.Subject).Equal(expression.Value(r.Subject)),
			expression.AttributeNotExists(expression.Name(layout.RevokedAt)),
			expression.Name(layout.IdleUntil).GreaterThan(now),
			expression.Name(layout.EndsAt).GreaterThan(now))

	item, done, err := s.table.UpdateIf(ctx, sessionKey(r.SessionID), change, current)
	if err != nil || item == nil {
		return session.Session{}, false, err
	}
	got, err := decode(item)
	if err != nil {
		return session.Session{}, false, err
	}
	// A response that was lost: the write met its own effect.
	return got, done || got.RotationID == r.ID, nil
}

// Revoke implements session.Store. Doing it twice is doing it once.
func (s *Store) Revoke(ctx context.Context, r session.Ending) (bool, error) {
	revokedAt, reason := expression.Name(layout.RevokedAt), expression.Name(layout.Reason)
	change := expression.
		Set(revokedAt, expression.IfNotExists(revokedAt, expression.Value(r.At.UnixMilli()))).
		Set(reason, expression.IfNotExists(reason, expression.Value(string(r.Reason)))).
		Remove(expression.Name(attrIndexPK)).
		Remove(expression.Name(attrIndexSK))
	there := ddb.Present()
	if r.Subject != "" {
		there = expression.Name(layout.Subject).Equal(expression.Value(r.Subject))
	}
	_, done, err := s.table.UpdateIf(ctx, sessionKey(r.SessionID), change, there)
	return done, err
}

// RevokeSubject implements session.Store.
func (s *Store) RevokeSubject(ctx context.Context, subject string, at time.Time) error {
	return s.raise(ctx, AccountKey(subject), layout.Epoch, at.UnixMilli())
}

// RevokeEverybody implements session.Store.
func (s *Store) RevokeEverybody(ctx context.Context, at time.Time) error {
	return s.raise(ctx, everybodyKey(), layout.Epoch, at.UnixMilli())
}

// RaiseAuthz implements session.Store.
func (s *Store) RaiseAuthz(ctx context.Context, subject string, version int64) error {
	return s.raise(ctx, AccountKey(subject), layout.AuthzVersion, version)
}

// raise sets a number that only grows. A condition that fails means that the number is reached already, by
// this call or by a later one.
func (s *Store) raise(ctx context.Context, key ddb.Key, attribute string, to int64) error {
	name := expression.Name(attribute)
	_, _, err := s.table.UpdateIf(ctx, key, expression.Set(name, expression.Value(to)),
		expression.AttributeNotExists(name).Or(name.LessThan(expression.Value(to))))
	return err
}

// RevokeToken implements session.Store. Doing it twice is doing it once.
func (s *Store) RevokeToken(ctx context.Context, t session.TokenRevocation) error {
	change := expression.
		Set(expression.Name(attrExpiresAt), expression.Value(t.ExpiresAt.UnixMilli())).
		Set(expression.Name(layout.Reason), expression.Value(string(t.Reason))).
		Set(expression.Name(attrTTL), expression.Value(t.ExpiresAt.Add(keepFor).Unix()))
	_, _, err := s.table.UpdateIf(ctx, tokenKey(t.TokenID), change, ddb.Absent())
	return err
}

// List implements session.Store. The index gives the ids, the table the current state. One entry more than
// the limit shows whether there are more; its item is not read, because a round trip reads at most 100.
func (s *Store) List(ctx context.Context, subject string, limit int) (list []session.Session, more bool, err error) {
	limit = min(limit, 1000)
	entries, _, err := s.table.Query(ctx, ddb.Query{
		Index: index, Where: expression.Key(attrIndexPK).Equal(expression.Value(AccountKey(subject).PK)),
		Limit: int32(limit + 1), Descending: true,
	})
	if err != nil {
		return nil, false, err
	}
	if more = len(entries) > limit; more {
		entries = entries[:limit]
	}
	keys := make([]ddb.Key, 0, len(entries))
	for _, entry := range entries {
		if key, ok := ddb.KeyOf(entry); ok {
			keys = append(keys, key)
		}
	}
	items, err := s.table.BatchGet(ctx, keys, true)
	if err != nil {
		return nil, false, err
	}
	list = make([]session.Session, 0, len(keys))
	for _, key := range keys {
		item, ok := items[key]
		if !ok {
			continue // removed since
		}
		found, err := decode(item)
		if err != nil {
			return nil, false, err
		}
		list = append(list, found)
	}
	return list, more, nil
}

// record is a session's item.
type record struct {
	PK         string   `dynamodbav:"PK"`
	SK         string   `dynamodbav:"SK"`
	IndexPK    string   `dynamodbav:"GSI1PK,omitempty"`
	IndexSK    string   `dynamodbav:"GSI1SK,omitempty"`
	Subject    string   `dynamodbav:"sub"`
	ClientID   string   `dynamodbav:"client_id,omitempty"`
	Scopes     []string `dynamodbav:"scopes,omitempty"`
	AMR        []string `dynamodbav:"amr,omitempty"`
	DeviceName string   `dynamodbav:"device,omitempty"`
	UserAgent  string   `dynamodbav:"ua_hash,omitempty"`
	Network    string   `dynamodbav:"ip_prefix,omitempty"`
	CreatedAt  int64    `dynamodbav:"created_at"`
	Generation int64    `dynamodbav:"gen"`
	RotatedAt  int64    `dynamodbav:"rot_at"`
	RotationID string   `dynamodbav:"rot_id"`
	IdleUntil  int64    `dynamodbav:"idle_exp"`
	EndsAt     int64    `dynamodbav:"abs_exp"`
	RevokedAt  int64    `dynamodbav:"revoked_at,omitempty"`
	Reason     string   `dynamodbav:"reason,omitempty"`
	TTL        int64    `dynamodbav:"ttl"`
}

func newRecord(s session.Session) record {
	key := sessionKey(s.ID)
	return record{
		PK: key.PK, SK: key.SK,
		IndexPK: AccountKey(s.Subject).PK, IndexSK: fmt.Sprintf("%015d#%s", s.CreatedAt.UnixMilli(), s.ID),
		Subject: s.Subject, ClientID: s.ClientID, Scopes: s.Scopes, AMR: s.AMR,
		DeviceName: s.Device.Name, UserAgent: s.Device.UserAgent, Network: s.Device.IP,
		CreatedAt: s.CreatedAt.UnixMilli(), Generation: s.Generation, RotatedAt: s.RotatedAt.UnixMilli(), RotationID: s.RotationID,
		IdleUntil: s.IdleUntil.UnixMilli(), EndsAt: s.EndsAt.UnixMilli(), TTL: s.EndsAt.Add(keepFor).Unix(),
	}
}

func decode(item ddb.Item) (session.Session, error) {
	var r record
	if err := ddb.Decode(item, &r); err != nil {
		return session.Session{}, err
	}
	s := session.Session{
		ID: r.PK[len(layout.PrefixSession):], Subject: r.Subject, ClientID: r.ClientID, Scopes: r.Scopes, AMR: r.AMR,
		Device:    session.Device{Name: r.DeviceName, UserAgent: r.UserAgent, IP: r.Network},
		CreatedAt: ddb.FromMillis(r.CreatedAt), Generation: r.Generation, RotatedAt: ddb.FromMillis(r.RotatedAt), RotationID: r.RotationID,
		IdleUntil: ddb.FromMillis(r.IdleUntil), EndsAt: ddb.FromMillis(r.EndsAt), Reason: session.Reason(r.Reason),
	}
	if r.RevokedAt != 0 {
		s.RevokedAt = ddb.FromMillis(r.RevokedAt)
	}
	return s, nil
}
