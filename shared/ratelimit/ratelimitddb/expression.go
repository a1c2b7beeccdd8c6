package ratelimitddb

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tienda-dev/tienda/shared/ratelimit"
)

// path is which of its expressions a policy uses. Its condition holds only if the path is the right one, so that a
// wrong guess changes nothing.
type path int

const (
	// count adds to a fixed window.
	count path = iota + 1
	// idle begins at now: the subject owes a GCRA nothing.
	idle
	// busy adds to the theoretical arrival time of a GCRA.
	busy
	// create makes a sliding log.
	create
	// rotate replaces the oldest times of a sliding log.
	rotate
	// over changes nothing: the policy is in shadow mode and would deny.
	over
	// give gives units back.
	give
)

// path returns the path for a subject that has started to use the policy (its GCRA is busy, its log exists), or not.
func (s *slot) path(started, admits bool) path {
	switch {
	case !admits:
		return over
	case s.policy.Algorithm == ratelimit.FixedWindow:
		return count
	case s.policy.Algorithm == ratelimit.SlidingLog && started:
		return rotate
	case s.policy.Algorithm == ratelimit.SlidingLog:
		return create
	case started:
		return busy
	default:
		return idle
	}
}

// started reports whether the state at a time is not that of a new subject, as far as the expression depends on it.
func (s *slot) started(state ratelimit.State, at int64) bool {
	return len(state.Log) > 0 || state.TAT > at
}

// lastIndex is behind the end of every list: DynamoDB appends what is set there.
const lastIndex = 9999

// expression collects the update, the condition and the values of one request. Its memory is used again.
//
// A condition has no arithmetic, and SET has one operation of two operands: sums are computed here. All parts of an
// update read the item as it was before it
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html).
type expression struct {
	set, remove, add, condition []byte
	values                      map[string]types.AttributeValue
	numbers                     []*formatted
	used                        int
}

// formatted is a number and its text, which is the same for most requests.
type formatted struct {
	value int64
	types.AttributeValueMemberN
}

func newExpression() *expression {
	return &expression{values: make(map[string]types.AttributeValue)}
}

func (e *expression) reset() {
	clear(e.values)
	e.set, e.remove, e.add, e.condition, e.used = e.set[:0], e.remove[:0], e.add[:0], e.condition[:0], 0
}

// update returns the update expression.
func (e *expression) update() []byte {
	e.set = append(append(e.set, e.remove...), e.add...)
	return e.set
}

// number gives the placeholder a value.
func (e *expression) number(placeholder string, v int64) {
	if e.used == len(e.numbers) {
		e.numbers = append(e.numbers, &formatted{})
	}
	n := e.numbers[e.used]
	e.used++
	if n.value != v || n.Value == "" {
		n.value, n.Value = v, strconv.FormatInt(v, 10)
	}
	e.values[placeholder] = &n.AttributeValueMemberN
}

// now gives :now its value.
func (e *expression) now(now int64) {
	if _, ok := e.values[":now"]; !ok {
		e.number(":now", now)
	}
}

// clause begins a clause of an expression: its keyword the first time, and what separates it from the one before.
func clause(to []byte, keyword, separator string) []byte {
	if len(to) == 0 {
		return append(to, keyword...)
	}
	return append(to, separator...)
}

func (e *expression) setting() { e.set = clause(e.set, "SET ", ", ") }

func (e *expression) removing() { e.remove = clause(e.remove, " REMOVE ", ", ") }

func (e *expression) adding() { e.add = clause(e.add, " ADD ", ", ") }

func (e *expression) when() { e.condition = clause(e.condition, "", " AND ") }

func text(to []byte, parts ...string) []byte {
	for _, part := range parts {
		to = append(to, part...)
	}
	return to
}

// policy adds the conditions and the changes of one policy on its path, for cost units of the subject at now.
func (e *expression) policy(s *slot, take path, subject ratelimit.Subject, now, cost int64) {
	p := s.policy
	switch p.Algorithm {
	case ratelimit.FixedWindow:
		e.window(s, take, p.WindowOf(subject, now), cost)
	case ratelimit.SlidingLog:
		e.log(s, take, now, cost)
	default:
		e.gcra(s, take, now, cost)
	}
}

func (e *expression) gcra(s *slot, take path, now, cost int64) {
	interval, latest := s.policy.Interval()*cost, now+s.policy.Tolerance()
	e.when()
	switch take {
	case idle:
		e.now(now)
		e.condition = text(e.condition, "(attribute_not_exists(", s.attr, ") OR ", s.attr, " <= :now)")
		e.number(s.change, now+interval)
		e.setting()
		e.set = text(e.set, s.attr, " = ", s.change)
	case busy:
		// Not BETWEEN: its bounds are the wrong way round if the burst is one unit, which is an error and not a failed condition.
		e.now(now)
		e.number(s.bound, latest-interval)
		e.condition = text(e.condition, s.attr, " > :now AND ", s.attr, " <= ", s.bound)
		e.number(s.change, interval)
		e.setting()
		e.set = text(e.set, s.attr, " = ", s.attr, " + ", s.change)
	case give:
		e.now(now)
		e.condition = text(e.condition, s.attr, " > :now")
		e.number(s.change, interval)
		e.setting()
		e.set = text(e.set, s.attr, " = ", s.attr, " - ", s.change)
	default:
		e.number(s.bound, latest-interval)
		e.condition = text(e.condition, s.attr, " > ", s.bound)
	}
}

func (e *expression) window(s *slot, take path, window, cost int64) {
	var name [40]byte
	attr := string(strconv.AppendInt(append(name[:0], s.attr...), window, 10))
	e.when()
	switch take {
	case count:
		e.number(s.bound, s.policy.Limit-cost)
		e.condition = text(e.condition, "(attribute_not_exists(", attr, ") OR ", attr, " <= ", s.bound, ")")
		e.number(s.change, cost)
		e.adding()
		e.add = text(e.add, attr, " ", s.change)
	case give:
		e.number(s.bound, cost)
		e.condition = text(e.condition, attr, " >= ", s.bound)
		e.number(s.change, -cost)
		e.adding()
		e.add = text(e.add, attr, " ", s.change)
	default:
		e.number(s.bound, s.policy.Limit-cost)
		e.condition = text(e.condition, attr, " > ", s.bound)
	}
}

func (e *expression) log(s *slot, take path, now, cost int64) {
	e.when()
	if take == create {
		e.condition = text(e.condition, "attribute_not_exists(", s.attr, ")")
		e.values[s.change] = newLog(s.policy.Limit, now, cost)
		e.setting()
		e.set = text(e.set, s.attr, " = ", s.change)
		return
	}
	e.number(s.bound, now-s.policy.Window.Microseconds())
	compare, separator := " <= ", " AND "
	if take == over {
		compare, separator = " > ", " OR "
		e.condition = append(e.condition, '(')
	}
	for i := range cost {
		if i > 0 {
			e.condition = append(e.condition, separator...)
		}
		e.condition = text(e.element(e.condition, s, i), compare, s.bound)
	}
	if take == over {
		e.condition = append(e.condition, ')')
		return
	}
	e.now(now)
	for i := range cost {
		e.setting()
		e.set = text(e.element(e.set, s, lastIndex-i), " = :now")
		e.removing()
		e.remove = e.element(e.remove, s, i)
	}
}

func (e *expression) element(to []byte, s *slot, i int64) []byte {
	return append(strconv.AppendInt(text(to, s.attr, "["), i, 10), ']')
}

// stale removes windows that no instance counts in any longer.
func (e *expression) stale(s *slot, windows []int64) {
	for _, w := range windows {
		e.removing()
		e.remove = strconv.AppendInt(text(e.remove, s.attr), w, 10)
	}
}

// expires sets the time to live.
func (e *expression) expires(at int64) {
	e.number(":ttl", at)
	e.setting()
	e.set = append(e.set, "#ttl = :ttl"...)
}

func newLog(limit, now, cost int64) *types.AttributeValueMemberL {
	times := make([]types.AttributeValue, limit)
	never, at := &types.AttributeValueMemberN{Value: "0"}, &types.AttributeValueMemberN{Value: strconv.FormatInt(now, 10)}
	for i := range times {
		times[i] = never
		if int64(i) >= limit-cost {
			times[i] = at
		}
	}
	return &types.AttributeValueMemberL{Value: times}
}
