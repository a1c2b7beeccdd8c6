//go:build integration

package ratelimitddb

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
	"github.com/tienda-dev/tienda/shared/ratelimit"
)

const (
	mutantNow     = int64(4_000_000_000_000_000)
	mutantSubject = ratelimit.Subject("mutant")
)

var mutantPolicies = map[string]ratelimit.Policy{
	"g0":  {Name: "gcra", Limit: 6, Window: time.Minute, Burst: 3},
	"w0x": {Name: "window", Algorithm: ratelimit.FixedWindow, Limit: 3, Window: time.Minute},
	"l0":  {Name: "log", Algorithm: ratelimit.SlidingLog, Limit: 3, Window: time.Minute},
}

// mutants has every term of every condition, an item, and whether the condition holds for it. Without the term the
// opposite is true.
var mutants = []struct {
	attr  string
	take  path
	cost  int64
	term  string
	item  []int64 // the attribute's value, or the list; nil is no item
	holds bool
}{
	{"g0", idle, 1, "attribute_not_exists(g0)", nil, true},
	{"g0", idle, 1, "g0 <= :now", []int64{mutantNow}, true},
	{"g0", busy, 1, "g0 > :now", []int64{mutantNow}, false},
	{"g0", busy, 1, "g0 <= :b0", []int64{mutantNow + 20_000_001}, false}, // 3 intervals of 10 s, less the one to take
	{"g0", over, 1, "g0 > :b0", []int64{mutantNow + 20_000_000}, false},
	{"g0", give, 1, "g0 > :now", []int64{mutantNow}, false},
	{"w0x", count, 1, "attribute_not_exists(w0x)", nil, true},
	{"w0x", count, 1, "w0x <= :b0", []int64{2}, true},
	{"w0x", over, 1, "w0x > :b0", []int64{2}, false},
	{"w0x", give, 2, "w0x >= :b0", []int64{1}, false},
	{"l0", create, 2, "attribute_not_exists(l0)", []int64{0, 0, 0}, false},
	{"l0", rotate, 2, "l0[0] <= :b0", []int64{mutantNow - 59_999_999, 0, 0}, false},
	{"l0", rotate, 2, "l0[1] <= :b0", []int64{0, mutantNow - 59_999_999, 0}, false},
	{"l0", over, 2, "l0[0] > :b0", []int64{mutantNow - 59_999_999, 0, 0}, true},
	{"l0", over, 2, "l0[1] > :b0", []int64{0, mutantNow - 59_999_999, 0}, true},
}

var windowNumber = regexp.MustCompile(`(w\dx)\d+`)

// terms splits a condition into terms of AND, and those into terms of OR.
func terms(condition string) (all [][]string) {
	for part := range strings.SplitSeq(condition, " AND ") {
		if inner, ok := strings.CutPrefix(part, "("); ok {
			part = strings.TrimSuffix(inner, ")")
		}
		all = append(all, strings.Split(part, " OR "))
	}
	return all
}

// without returns the condition without one term, and how often it has the term.
func without(condition, term string) (rest string, found int) {
	var all []string
	for _, some := range terms(condition) {
		kept := slices.DeleteFunc(some, func(s string) bool { return windowNumber.ReplaceAllString(s, "$1") == term })
		found += len(some) - len(kept)
		switch len(kept) {
		case 0:
		case 1: // DynamoDB refuses parentheses that are not needed
			all = append(all, kept[0])
		default:
			all = append(all, "("+strings.Join(kept, " OR ")+")")
		}
	}
	return strings.Join(all, " AND "), found
}

// Each term of each condition decides: without it the condition has another result.
func TestEachTermIsNeeded(t *testing.T) {
	t.Parallel()
	table, client := ddbtest.HashTable(t), ddbtest.Client(t)
	listed := map[string]bool{}
	for _, m := range mutants {
		listed[fmt.Sprintf("%s %d %s", m.attr, m.take, m.term)] = true
		t.Run(fmt.Sprintf("%d/%s", m.take, m.term), func(t *testing.T) {
			t.Parallel()
			policy := mutantPolicies[m.attr]
			s := newSlot(&policy, 0)
			if s.attr != m.attr {
				t.Fatalf("the attribute is %s", s.attr)
			}
			holds := func(mutate bool) bool {
				pk := t.Name() + strconv.FormatBool(mutate)
				seed(t, client, table, pk, &s, m.item)
				e := newExpression()
				e.expires(1)
				e.policy(&s, m.take, mutantSubject, mutantNow, m.cost)
				condition := string(e.condition)
				if mutate {
					var found int
					if condition, found = without(condition, m.term); found != 1 {
						t.Fatalf("%q has the term %d times", e.condition, found)
					}
				}
				return update(t, client, table, pk, e, condition)
			}
			if got := holds(false); got != m.holds {
				t.Errorf("the condition holds: %t, want %t", got, m.holds)
			}
			if got := holds(true); got == m.holds {
				t.Errorf("without the term the condition holds: %t, too", got)
			}
		})
	}
	// The table has every term that there is.
	built := map[string]bool{}
	for attr, policy := range mutantPolicies {
		paths := []path{over, count, give}
		switch policy.Algorithm {
		case ratelimit.GCRA:
			paths = []path{over, idle, busy, give}
		case ratelimit.SlidingLog:
			paths = []path{over, create, rotate}
		case ratelimit.FixedWindow:
		}
		s := newSlot(&policy, 0)
		for _, take := range paths {
			e := newExpression()
			e.policy(&s, take, mutantSubject, mutantNow, 2)
			for _, some := range terms(string(e.condition)) {
				for _, term := range some {
					built[fmt.Sprintf("%s %d %s", attr, take, windowNumber.ReplaceAllString(term, "$1"))] = true
				}
			}
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(built)), slices.Sorted(maps.Keys(listed))); diff != "" {
		t.Errorf("the terms of all conditions, and those of the table (-built +table):\n%s", diff)
	}
}

// seed writes the item before the update, if there is one.
func seed(t *testing.T, client *ddb.Client, table, pk string, s *slot, values []int64) {
	t.Helper()
	if values == nil {
		return
	}
	name := s.attr
	if s.policy.Algorithm == ratelimit.FixedWindow {
		name += strconv.FormatInt(s.policy.WindowOf(mutantSubject, mutantNow), 10)
	}
	numbers := make([]types.AttributeValue, len(values))
	for i, v := range values {
		numbers[i] = &types.AttributeValueMemberN{Value: strconv.FormatInt(v, 10)}
	}
	value := numbers[0]
	if s.policy.Algorithm == ratelimit.SlidingLog {
		value = &types.AttributeValueMemberL{Value: numbers}
	}
	if _, err := client.SDK().PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: map[string]types.AttributeValue{
		attrPK: &types.AttributeValueMemberS{Value: pk}, name: value,
	}}); err != nil {
		t.Fatal(err)
	}
}

// update sends the expression with another condition, and reports whether it holds. Values that only the missing term has
// used are left out: they would be refused.
func update(t *testing.T, client *ddb.Client, table, pk string, e *expression, condition string) bool {
	t.Helper()
	change := string(e.update())
	maps.DeleteFunc(e.values, func(name string, _ types.AttributeValue) bool {
		return !regexp.MustCompile(name + `\b`).MatchString(change + " " + condition)
	})
	in := &dynamodb.UpdateItemInput{
		TableName: &table, Key: keyOf(pk), UpdateExpression: &change,
		ExpressionAttributeValues: e.values, ExpressionAttributeNames: map[string]string{"#ttl": attrTTL},
	}
	if condition != "" {
		in.ConditionExpression = &condition
	}
	_, err := client.UpdateItem(t.Context(), in)
	if failed := new(types.ConditionalCheckFailedException); errors.As(err, &failed) {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	return true
}
