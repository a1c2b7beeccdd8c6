//go:build integration

package idempotencyddb_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/idempotency/idempotencyddb"
	"github.com/tienda-dev/tienda/shared/idempotency/idempotencytest"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	for name, lost := range map[string]ddbtest.Fault{
		"AnswersLost":      ddbtest.LoseResponse,
		"AnswersAre500":    ddbtest.FailAfterCommit,
		"AnswersBrokenOff": ddbtest.BreakOff,
		"TokenForgotten":   withoutToken(ddbtest.LoseResponse),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			idempotencytest.Run(t, func(t *testing.T) idempotencytest.Store {
				t.Helper()
				faults := &ddbtest.Faults{}
				table := ddbtest.Table(t, faults.Option)
				return counted{idempotencyddb.New(table), table, faults, lost}
			})
		})
	}
}

// counted is a store with an effect in the transactions of its records.
type counted struct {
	*idempotencyddb.Store

	table  *ddb.Table
	faults *ddbtest.Faults
	lost   ddbtest.Fault
}

func (c counted) LoseAnswers(n int) {
	for range n {
		c.faults.Inject("TransactWriteItems", c.lost)
	}
}

func (counted) key() ddb.Key { return ddb.Key{PK: "COUNTER", SK: "C"} }

func (c counted) Counter(ctx context.Context) (int, error) {
	var item struct {
		N int `dynamodbav:"n"`
	}
	_, err := c.table.Get(ctx, c.key(), &item, true)
	return item.N, err
}

func (c counted) Put(ctx context.Context, r idempotency.Record, effect int) error {
	return c.commit(ctx, idempotencyddb.Write(c.table, r), effect)
}

func (c counted) Complete(ctx context.Context, begun idempotency.Record, a idempotency.Answer, effect int) error {
	return c.commit(ctx, []ddb.Write{idempotencyddb.Complete(c.table, begun, a)}, effect)
}

func (c counted) commit(ctx context.Context, writes []ddb.Write, effect int) error {
	n := expression.Name("n")
	if effect != 0 {
		room := expression.AttributeNotExists(n).And(expression.Value(effect).LessThanEqual(expression.Value(idempotencytest.Most))).
			Or(n.LessThanEqual(expression.Value(idempotencytest.Most - effect)))
		writes = append(writes, c.table.Update(c.key(), expression.Add(n, expression.Value(effect))).If(room, idempotencytest.ErrEffect))
	}
	return ddb.Commit(ctx, c.table.Client(), writes...)
}

// withoutToken sends an attempt without its token, as if DynamoDB had forgotten it: only the conditions know then that the
// next attempt is a repetition.
func withoutToken(fault ddbtest.Fault) ddbtest.Fault {
	return func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		var in map[string]json.RawMessage
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, err
		}
		in["ClientRequestToken"] = json.RawMessage(`"` + rand.Text() + `"`)
		if body, err = json.Marshal(in); err != nil {
			return nil, err
		}
		again := r.Clone(r.Context())
		again.Body, again.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		return fault(next, again)
	}
}
