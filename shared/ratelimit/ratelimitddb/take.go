package ratelimitddb

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tienda-dev/tienda/shared/ratelimit"
)

// maxCalls is how many writes one operation makes: the guess, the one that the old item calls for, and two more for
// writes of others in between.
const maxCalls = 4

// request is one UpdateItem. Its memory is used again; nothing of it is kept by a call that has returned.
type request struct {
	input             dynamodb.UpdateItemInput
	pk                types.AttributeValueMemberS
	expression        *expression
	paths             []path
	stale             [][]int64
	update, condition string
}

func (l *Limiter) newRequest() *request {
	r := &request{
		expression: newExpression(),
		paths:      make([]path, len(l.slots)),
		stale:      make([][]int64, len(l.slots)),
	}
	r.input = dynamodb.UpdateItemInput{
		TableName:                           &l.table,
		Key:                                 map[string]types.AttributeValue{attrPK: &r.pk},
		UpdateExpression:                    &r.update,
		ConditionExpression:                 &r.condition,
		ExpressionAttributeValues:           r.expression.values,
		ReturnValues:                        types.ReturnValueAllOld,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	return r
}

// send sends the request and returns the item before it, and whether its condition held. An item that DynamoDB does not
// return counts as absent; the expressions for that fail if there is one.
func (l *Limiter) send(ctx context.Context, r *request) (old []ratelimit.State, done bool, err error) {
	setText(&r.update, r.expression.update())
	setText(&r.condition, r.expression.condition)
	out, err := l.client.UpdateItem(ctx, &r.input)
	if err == nil {
		old, err = l.parse(out.Attributes, r.pk.Value)
		return old, err == nil, err
	}
	failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err)
	if !ok {
		return nil, false, classify(ctx, "UpdateItem", err)
	}
	old, err = l.parse(failed.Item, r.pk.Value)
	return old, false, err
}

// setText makes a new string only if the text has changed: most requests have the same expressions.
func setText(to *string, text []byte) {
	if *to != string(text) {
		*to = string(text)
	}
}

// Take implements ratelimit.Limiter, with one write, or two if the guess is wrong.
func (l *Limiter) Take(ctx context.Context, subject ratelimit.Subject, cost int64) (ratelimit.Decision, error) {
	if err := ratelimit.ValidateCost(l.policies, cost); err != nil {
		return ratelimit.Decision{}, err
	}
	pk, err := l.keys.partitionKey(ctx, subject)
	if err != nil {
		return ratelimit.Decision{}, err
	}
	r := l.requests.Get().(*request) //nolint:forcetypeassert // the pool has nothing else
	defer l.requests.Put(r)
	r.pk.Value = pk
	r.input.ExpressionAttributeNames = l.names

	now := l.now().UnixMicro()
	l.hints.guess(pk, l.slots, subject, now, r.paths, r.stale)
	for range maxCalls {
		l.build(r, subject, now, cost)
		old, done, err := l.send(ctx, r)
		if err != nil {
			return ratelimit.Decision{}, err
		}
		d, next := ratelimit.Decide(l.policies, subject, old, now, cost)
		if done && !l.right(r, old, d) {
			return ratelimit.Decision{}, errDisagrees
		}
		if done || !d.Allowed {
			var removed [][]int64
			if done {
				removed = r.stale
			}
			l.hints.learn(pk, l.slots, old, next, d, removed)
			return d, nil
		}
		now = l.now().UnixMicro()
		for i := range l.slots {
			s := &l.slots[i]
			r.paths[i] = s.path(s.started(old[i], now), d.Results[i].Allowed)
		}
	}
	return ratelimit.Decision{}, errUnsettled
}

// build writes the request's expressions.
func (l *Limiter) build(r *request, subject ratelimit.Subject, now, cost int64) {
	e := r.expression
	e.reset()
	e.expires(now/1e6 + l.life)
	for i := range l.slots {
		e.policy(&l.slots[i], r.paths[i], subject, now, cost)
		e.stale(&l.slots[i], r.stale[i])
	}
}

// right reports whether the old states call for what the request has done.
func (l *Limiter) right(r *request, old []ratelimit.State, d ratelimit.Decision) bool {
	for i := range l.slots {
		s := &l.slots[i]
		if r.paths[i] != s.path(s.started(old[i], d.At), d.Results[i].Allowed) {
			return false
		}
	}
	return d.Allowed
}
