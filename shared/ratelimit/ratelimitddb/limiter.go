package ratelimitddb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tienda-dev/tienda/shared/clock"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/ratelimit"
)

// Config is how an instance uses the table. Its zero value works.
type Config struct {
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// MaxHints is how many subjects this instance remembers, about 300 bytes each, to choose the right expression; 0
	// is 4096.
	MaxHints int
}

const defaultHints = 4096

// Limiter is a ratelimit.Limiter on a DynamoDB table.
type Limiter struct {
	client   api
	table    string
	keys     *hasher
	policies []ratelimit.Policy
	slots    []slot
	now      func() time.Time
	hints    *hints
	requests sync.Pool
	// life is how long after a write an item may have to be remembered, in seconds.
	life int64
	// names are the same for every request.
	names map[string]string
}

// api is what a Limiter calls of a *ddb.Client.
type api interface {
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	DeleteItem(context.Context, *dynamodb.DeleteItemInput, ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error)
}

var _ ratelimit.Limiter = (*Limiter)(nil)

// New returns a limiter that decides by all of the policies, in one item per subject. All sliding logs together may
// have ratelimit.MaxLog units. Limiters with the same policies, apart from Shadow, share their counts, in all instances.
func New(client *ddb.Client, table string, key Key, policies []ratelimit.Policy, cfg Config) (*Limiter, error) {
	if client == nil {
		return nil, errors.New("ratelimitddb: the client is nil")
	}
	return newLimiter(client.With(oneAttempt), table, key, policies, cfg)
}

func newLimiter(client api, table string, key Key, policies []ratelimit.Policy, cfg Config) (*Limiter, error) {
	var problems []error
	if table == "" {
		problems = append(problems, errors.New("the table has no name"))
	}
	if key == nil {
		problems = append(problems, errors.New("Key is nil"))
	}
	if cfg.Now == nil {
		cfg.Now = time.Now //nolint:forbidigo // the clock of a caller that names none
	}
	if cfg.MaxHints < 0 {
		problems = append(problems, errors.New("Config.MaxHints must be 0 or more"))
	}
	if cfg.MaxHints == 0 {
		cfg.MaxHints = defaultHints
	}
	if err := errors.Join(append(problems, ratelimit.ValidatePolicies(policies), checkLogs(policies))...); err != nil {
		return nil, fmt.Errorf("ratelimitddb: %w", err)
	}
	l := &Limiter{
		client:   client,
		table:    table,
		policies: slices.Clone(policies),
		now:      clock.Wall(cfg.Now),
		hints:    newHints(cfg.MaxHints, len(policies)),
		names:    map[string]string{"#ttl": attrTTL},
	}
	l.keys = newHasher(key, l.policies)
	for i := range l.policies {
		p := &l.policies[i]
		l.slots = append(l.slots, newSlot(p, i))
		l.life = max(l.life, lifeOf(p))
	}
	l.requests.New = func() any { return l.newRequest() }
	return l, nil
}

// checkLogs refuses sliding logs whose expressions DynamoDB would refuse: they have a term for each unit of the cost, and
// at most 300 operators and 4 KB.
func checkLogs(policies []ratelimit.Policy) error {
	units := int64(0)
	for i := range policies {
		if policies[i].Algorithm == ratelimit.SlidingLog {
			units += policies[i].Limit
		}
	}
	if units > ratelimit.MaxLog {
		return fmt.Errorf("the sliding logs have %d units together, want at most %d", units, ratelimit.MaxLog)
	}
	return nil
}

// oneAttempt makes the SDK send a request once.
func oneAttempt(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} }

// margin is how much longer than needed an item is kept, in seconds: far more than clocks differ.
const margin = 3600

// lifeOf returns how long after a write the policy may need its state, in seconds.
func lifeOf(p *ratelimit.Policy) int64 {
	life := p.Window.Microseconds()
	if p.Algorithm == ratelimit.GCRA {
		life = p.Tolerance()
	}
	return life/time.Second.Microseconds() + margin
}

// Policies returns the policies.
func (l *Limiter) Policies() []ratelimit.Policy { return l.policies }

// Warm pays in INIT what the first call costs, the connection and its TLS handshake: it reads a key that does not exist.
// It needs dynamodb:GetItem on the partition key RL#WARM, and not the limiter's key.
func (l *Limiter) Warm(ctx context.Context) error {
	if _, err := l.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &l.table, Key: keyOf(prefix + "WARM")}); err != nil {
		return classify(ctx, "GetItem", err)
	}
	return nil
}

// Peek implements ratelimit.Limiter. It is one eventually consistent read, and may miss what was taken in the last
// moments.
func (l *Limiter) Peek(ctx context.Context, subject ratelimit.Subject) (ratelimit.Decision, error) {
	pk, err := l.keys.partitionKey(ctx, subject)
	if err != nil {
		return ratelimit.Decision{}, err
	}
	now := l.now().UnixMicro()
	out, err := l.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &l.table, Key: keyOf(pk)})
	if err != nil {
		return ratelimit.Decision{}, classify(ctx, "GetItem", err)
	}
	states, err := l.parse(out.Item, pk)
	if err != nil {
		return ratelimit.Decision{}, err
	}
	return ratelimit.Look(l.policies, subject, states, now), nil
}

// Reset implements ratelimit.Limiter. It deletes the item.
func (l *Limiter) Reset(ctx context.Context, subject ratelimit.Subject) error {
	pk, err := l.keys.partitionKey(ctx, subject)
	if err != nil {
		return err
	}
	l.hints.forget(pk)
	if _, err = l.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &l.table, Key: keyOf(pk)}); err != nil {
		return classify(ctx, "DeleteItem", err)
	}
	return nil
}

func keyOf(pk string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{attrPK: &types.AttributeValueMemberS{Value: pk}}
}
