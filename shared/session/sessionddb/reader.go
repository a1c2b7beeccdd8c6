package sessionddb

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/session"
)

// The attributes, as they are named in the table.
const (
	attrSubject      = "sub"
	attrCreatedAt    = "created_at"
	attrGeneration   = "gen"
	attrRotatedAt    = "rot_at"
	attrRotationID   = "rot_id"
	attrIdleUntil    = "idle_exp"
	attrEndsAt       = "abs_exp"
	attrRevokedAt    = "revoked_at"
	attrReason       = "reason"
	attrEpoch        = "nbf_epoch"
	attrAuthzVersion = "authz_ver"
	attrExpiresAt    = "exp"
	attrTTL          = "ttl"
	attrIndexPK      = "GSI1PK"
	attrIndexSK      = "GSI1SK"

	index         = "GSI1"
	prefixSession = "S#"
)

var errTaken = errors.New("sessionddb: the id of a new session is taken, which chance does not bring about")

func sessionKey(id string) ddb.Key { return ddb.Key{PK: prefixSession + id, SK: "S"} }

func accountKey(subject string) ddb.Key { return ddb.Key{PK: "U#" + subject, SK: "A"} }

func tokenKey(id string) ddb.Key { return ddb.Key{PK: "R#" + id, SK: "R"} }

func everybodyKey() ddb.Key { return ddb.Key{PK: "G", SK: "A"} }

// Reader is the session.Reader on a table: what an authorizer needs, without what it would cost to
// link the rest. It is safe for concurrent use.
type Reader struct {
	table *ddb.Table
}

var _ session.Reader = (*Reader)(nil)

// NewReader returns a reader of the table. It panics when the table is nil, which no input can
// cause.
func NewReader(table *ddb.Table) *Reader {
	if table == nil {
		panic("sessionddb: a store needs a table")
	}
	return &Reader{table: table}
}

// State implements session.Reader with one BatchGetItem. Nothing but what decides is returned: an
// account's item may hold more.
func (r *Reader) State(ctx context.Context, q session.Query) (session.State, error) {
	keys := make([]ddb.Key, 0, 4)
	if q.SessionID != "" {
		keys = append(keys, sessionKey(q.SessionID))
	}
	if q.Subject != "" {
		keys = append(keys, accountKey(q.Subject))
	}
	if q.TokenID != "" {
		keys = append(keys, tokenKey(q.TokenID))
	}
	if q.Everybody {
		keys = append(keys, everybodyKey())
	}
	items, err := r.table.BatchGet(ctx, keys, q.Strong,
		attrSubject, attrCreatedAt, attrIdleUntil, attrEndsAt, attrRevokedAt, attrReason, attrEpoch, attrAuthzVersion)
	if err != nil {
		return session.State{}, err
	}

	var state session.State
	if item, ok := items[sessionKey(q.SessionID)]; ok {
		state.HasSession = true
		if state.Session, err = standing(item); err != nil {
			return session.State{}, err
		}
		state.Session.ID = q.SessionID
	}
	account := items[accountKey(q.Subject)]
	_, state.TokenRevoked = items[tokenKey(q.TokenID)]
	var errs [3]error
	state.Account.NotBefore, errs[0] = date(account, attrEpoch)
	state.Account.AuthzVersion, errs[1] = integer(account, attrAuthzVersion)
	state.NotBefore, errs[2] = date(items[everybodyKey()], attrEpoch)
	if err := errors.Join(errs[:]...); err != nil {
		return session.State{}, err
	}
	return state, nil
}

// standing reads what decides about a session. A time that is missing is an error, because zero
// would say something.
func standing(item ddb.Item) (session.Session, error) {
	var s session.Session
	var errs [4]error
	s.Subject, s.Reason = text(item, attrSubject), session.Reason(text(item, attrReason))
	s.CreatedAt, errs[0] = date(item, attrCreatedAt)
	s.IdleUntil, errs[1] = date(item, attrIdleUntil)
	s.EndsAt, errs[2] = date(item, attrEndsAt)
	s.RevokedAt, errs[3] = date(item, attrRevokedAt)
	if err := errors.Join(errs[:]...); err != nil {
		return session.Session{}, err
	}
	if s.Subject == "" || s.CreatedAt.IsZero() || s.IdleUntil.IsZero() || s.EndsAt.IsZero() {
		return session.Session{}, errors.New("sessionddb: a session's item is not complete")
	}
	return s, nil
}

func text(item ddb.Item, name string) string {
	if s, ok := item[name].(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

// integer returns 0 for an attribute that is not there.
func integer(item ddb.Item, name string) (int64, error) {
	value, ok := item[name]
	if !ok {
		return 0, nil
	}
	number, ok := value.(*types.AttributeValueMemberN)
	if !ok {
		return 0, fmt.Errorf("sessionddb: the attribute %s is no number", name)
	}
	n, err := strconv.ParseInt(number.Value, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("sessionddb: the attribute %s is no whole number", name)
	}
	return n, nil
}

// date returns the zero time for an attribute that is not there.
func date(item ddb.Item, name string) (time.Time, error) {
	n, err := integer(item, name)
	return fromMillis(n), err
}

// fromMillis takes 0 for no time.
func fromMillis(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMilli(n).UTC()
}
