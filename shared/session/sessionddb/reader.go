package sessionddb

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/session"
	"github.com/tienda-dev/tienda/shared/session/internal/layout"
)

// The attributes that only the store knows.
const (
	attrGeneration = "gen"
	attrRotatedAt  = "rot_at"
	attrRotationID = "rot_id"
	attrExpiresAt  = "exp" // for people who read the table: an expired token is refused anyway
	attrTTL        = "ttl"
	attrIndexPK    = "GSI1PK"
	attrIndexSK    = "GSI1SK"

	index = "GSI1"
)

var errTaken = errors.New("sessionddb: the id of a new session is taken, which cannot happen by chance")

// AccountKey returns the key of a subject's account.
func AccountKey(subject string) ddb.Key { return ddb.Key(layout.AccountKey(subject)) }

// SetAuthz returns the write that moves the version of the subject's roles to version, for the transaction that
// changes the roles: tokens with an older version are refused from then on.
func SetAuthz(table *ddb.Table, subject string, version int64) ddb.Write {
	return table.Update(AccountKey(subject), expression.Set(expression.Name(layout.AuthzVersion), expression.Value(version)))
}

func sessionKey(id string) ddb.Key { return ddb.Key(layout.SessionKey(id)) }

func tokenKey(id string) ddb.Key { return ddb.Key(layout.TokenKey(id)) }

func everybodyKey() ddb.Key { return ddb.Key(layout.EverybodyKey()) }

// State implements session.Store with one BatchGetItem. It projects the attributes that decide: an account
// item may hold more.
func (s *Store) State(ctx context.Context, q session.Query) (session.State, error) {
	wanted := layout.Keys(q)
	keys := make([]ddb.Key, len(wanted))
	for i, key := range wanted {
		keys[i] = ddb.Key(key)
	}
	found, err := s.table.BatchGet(ctx, keys, q.Strong, layout.Attributes()...)
	if err != nil {
		return session.State{}, err
	}
	items := make(map[layout.Key]layout.Item, len(found))
	for key, item := range found {
		items[layout.Key(key)] = scalars(item)
	}
	return layout.State(q, items)
}

func scalars(item ddb.Item) layout.Item {
	values := make(layout.Item, len(item))
	for name, attribute := range item {
		switch a := attribute.(type) {
		case *types.AttributeValueMemberS:
			values[name] = layout.Value{S: &a.Value}
		case *types.AttributeValueMemberN:
			values[name] = layout.Value{N: &a.Value}
		default:
			values[name] = layout.Value{}
		}
	}
	return values
}
