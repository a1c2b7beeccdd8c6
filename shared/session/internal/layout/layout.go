// Package layout holds the keys and attributes that a session check reads, for the stores with and without
// the SDK of AWS. It does not import the SDK itself.
package layout

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/tienda-dev/tienda/shared/session"
)

// The names of the attributes that a check reads. Times are in milliseconds since 1970.
const (
	Subject      = "sub"
	CreatedAt    = "created_at"
	IdleUntil    = "idle_exp"
	EndsAt       = "abs_exp"
	RevokedAt    = "revoked_at"
	Reason       = "reason"
	Epoch        = "nbf_epoch"
	AuthzVersion = "authz_ver"
)

// PrefixSession is the text before a session's id in its key.
const PrefixSession = "S#"

// Key is the primary key of an item.
type Key struct{ PK, SK string }

// SessionKey returns the key of a session.
func SessionKey(id string) Key { return Key{PK: PrefixSession + id, SK: "S"} }

// AccountKey returns the key of a subject's account.
func AccountKey(subject string) Key { return Key{PK: "U#" + subject, SK: "A"} }

// TokenKey returns the key of a revoked access token.
func TokenKey(id string) Key { return Key{PK: "R#" + id, SK: "R"} }

// EverybodyKey returns the key of the global epoch.
func EverybodyKey() Key { return Key{PK: "G", SK: "A"} }

// Attributes returns the names of all attributes that a check reads.
func Attributes() []string {
	return []string{Subject, CreatedAt, IdleUntil, EndsAt, RevokedAt, Reason, Epoch, AuthzVersion}
}

// Keys returns the keys of the items that answer the query.
func Keys(q session.Query) []Key {
	keys := make([]Key, 0, 4)
	if q.SessionID != "" {
		keys = append(keys, SessionKey(q.SessionID))
	}
	if q.Subject != "" {
		keys = append(keys, AccountKey(q.Subject))
	}
	if q.TokenID != "" {
		keys = append(keys, TokenKey(q.TokenID))
	}
	if q.Everybody {
		keys = append(keys, EverybodyKey())
	}
	return keys
}

// Value is an attribute: a string or a number. For other types both are nil.
type Value struct{ S, N *string }

// Item is the attributes of an item, its key left out.
type Item map[string]Value

// State decodes the answer. items holds those of the query's items that exist. An attribute that it cannot
// read is an error: zero would have a meaning.
func State(q session.Query, items map[Key]Item) (session.State, error) {
	var state session.State
	var errs [4]error
	if item, ok := items[SessionKey(q.SessionID)]; ok {
		state.HasSession = true
		state.Session, errs[0] = decodeSession(item)
		state.Session.ID = q.SessionID
	}
	account := items[AccountKey(q.Subject)]
	state.Account.NotBefore, errs[1] = account.date(Epoch)
	state.Account.AuthzVersion, errs[2] = account.integer(AuthzVersion)
	state.NotBefore, errs[3] = items[EverybodyKey()].date(Epoch)
	_, state.TokenRevoked = items[TokenKey(q.TokenID)]
	if err := errors.Join(errs[:]...); err != nil {
		return session.State{}, err
	}
	return state, nil
}

// decodeSession reads the attributes that decide about a session.
func decodeSession(item Item) (session.Session, error) {
	var s session.Session
	var errs [4]error
	s.Subject, s.Reason = item.text(Subject), session.Reason(item.text(Reason))
	s.CreatedAt, errs[0] = item.date(CreatedAt)
	s.IdleUntil, errs[1] = item.date(IdleUntil)
	s.EndsAt, errs[2] = item.date(EndsAt)
	s.RevokedAt, errs[3] = item.date(RevokedAt)
	if err := errors.Join(errs[:]...); err != nil {
		return session.Session{}, err
	}
	if s.Subject == "" || s.CreatedAt.IsZero() || s.IdleUntil.IsZero() || s.EndsAt.IsZero() {
		return session.Session{}, errors.New("session: the item of a session is incomplete")
	}
	return s, nil
}

func (i Item) text(name string) string {
	if s := i[name].S; s != nil {
		return *s
	}
	return ""
}

// integer returns 0 for a missing attribute.
func (i Item) integer(name string) (int64, error) {
	value, ok := i[name]
	if !ok {
		return 0, nil
	}
	if value.N == nil {
		return 0, fmt.Errorf("session: the attribute %s is not a number", name)
	}
	n, err := strconv.ParseInt(*value.N, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("session: the attribute %s is not a whole number", name)
	}
	return n, nil
}

// date returns the zero time for a missing attribute.
func (i Item) date(name string) (time.Time, error) {
	n, err := i.integer(name)
	if n == 0 {
		return time.Time{}, err
	}
	return time.UnixMilli(n).UTC(), err
}
