package ratelimitddb

import (
	"bytes"
	"context"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tienda-dev/tienda/shared/ratelimit"
)

// instant is a store that answers at once, without the SDK: with an item, or that the condition has failed for it.
type instant struct {
	api
	out *dynamodb.UpdateItemOutput
	err error
}

func (i *instant) UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	return i.out, i.err
}

const (
	cpuNow     = int64(4_000_000_000_000_000)
	cpuSubject = ratelimit.Subject("4:user,32:01JD9ZK3T4Q6Y8M2X5V7W1B0CNRS")
)

var cpuPolicies = map[string]ratelimit.Policy{
	"GCRA":        {Name: "user", Limit: 300, Window: time.Minute, Burst: 60_000},
	"FixedWindow": {Name: "user", Algorithm: ratelimit.FixedWindow, Limit: 300, Window: 24 * time.Hour},
	"SlidingLog":  {Name: "user", Algorithm: ratelimit.SlidingLog, Limit: 5, Window: time.Minute},
}

// cpuLimiter returns a limiter whose store answers a Take with the state that the value makes, as an admission or not.
func cpuLimiter(tb testing.TB, policy ratelimit.Policy, denied bool) *Limiter {
	tb.Helper()
	store, now := &instant{}, cpuNow
	key := bytes.Repeat([]byte{7}, MinKey)
	l, err := newLimiter(store, "ratelimit", func(context.Context) ([]byte, error) { return key, nil },
		[]ratelimit.Policy{policy}, Config{Now: func() time.Time { now += 17; return time.UnixMicro(now) }})
	if err != nil {
		tb.Fatal(err)
	}
	pk, err := l.keys.partitionKey(tb.Context(), cpuSubject)
	if err != nil {
		tb.Fatal(err)
	}
	n := func(v int64) *types.AttributeValueMemberN {
		return &types.AttributeValueMemberN{Value: strconv.FormatInt(v, 10)}
	}
	item := map[string]types.AttributeValue{attrPK: &types.AttributeValueMemberS{Value: pk}, attrTTL: n(cpuNow / 1e6)}
	// Far ahead of a clock that moves by microseconds, so that the subject stays busy.
	tat := cpuNow + policy.Tolerance()/2
	if denied {
		tat = cpuNow + 2*policy.Tolerance()
	}
	switch policy.Algorithm {
	case ratelimit.FixedWindow:
		units := int64(7)
		if denied {
			units = policy.Limit
		}
		item[l.slots[0].attr+strconv.FormatInt(policy.WindowOf(cpuSubject, cpuNow), 10)] = n(units)
	case ratelimit.SlidingLog:
		at := cpuNow - time.Hour.Microseconds()
		if denied {
			at = cpuNow + time.Hour.Microseconds()
		}
		list := &types.AttributeValueMemberL{}
		for range policy.Limit {
			list.Value = append(list.Value, n(at))
		}
		item[l.slots[0].attr] = list
	default:
		item[l.slots[0].attr] = n(tat)
	}
	store.out = &dynamodb.UpdateItemOutput{Attributes: item}
	l.hints.known[pk] = []hint{{tat: tat, exists: true}}
	if denied {
		store.out, store.err = nil, &types.ConditionalCheckFailedException{Item: item}
	}
	return l
}

// maxAllocations is how often a decision may allocate.
const maxAllocations = 10

// BenchmarkDecision is the limiter's own time: without the SDK, the network and the store. (A benchmark, because the race
// detector makes a sync.Pool allocate.)
func BenchmarkDecision(b *testing.B) {
	for name, policy := range cpuPolicies {
		for outcome, denied := range map[string]bool{"Admitted": false, "Denied": true} {
			b.Run(name+"/"+outcome, func(b *testing.B) {
				l := cpuLimiter(b, policy, denied)
				take := func() {
					if d, err := l.Take(b.Context(), cpuSubject, 1); err != nil || d.Allowed == denied {
						b.Fatalf("allowed %t, %v", d.Allowed, err)
					}
				}
				if got := testing.AllocsPerRun(100, take); got > maxAllocations {
					b.Errorf("%v allocations, want at most %d", got, maxAllocations)
				}
				b.ReportAllocs()
				began := cpuTime(b)
				for b.Loop() {
					take()
				}
				b.ReportMetric(float64(cpuTime(b)-began)/float64(b.N), "cpu-ns/op")
			})
		}
	}
}

// cpuTime is the process's time on the CPU, which other load on the machine does not count in.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
