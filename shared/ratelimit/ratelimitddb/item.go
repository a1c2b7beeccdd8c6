package ratelimitddb

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tienda-dev/tienda/shared/ratelimit"
)

const (
	attrPK  = "PK"
	attrTTL = "ttl"
)

// slot is one policy and the names of its attribute and of its values in expressions, which begin with the
// algorithm's letter and have the policy's number.
type slot struct {
	policy *ratelimit.Policy
	// attr is the attribute of a GCRA or a sliding log, and the beginning of those of a fixed window.
	attr string
	// bound is what a condition compares with, and change what an update sets or adds.
	bound, change string
}

func newSlot(p *ratelimit.Policy, i int) slot {
	n := strconv.Itoa(i)
	s := slot{policy: p, bound: ":b" + n, change: ":c" + n}
	switch p.Algorithm {
	case ratelimit.FixedWindow:
		s.attr = "w" + n + "x"
	case ratelimit.SlidingLog:
		s.attr = "l" + n
	default:
		s.attr = "g" + n
	}
	return s
}

// itemError is an item that no limiter has written. It is a failure of the store and not a denial.
type itemError string

func (e itemError) Error() string { return "ratelimitddb: bad item: " + string(e) }

// parse reads an item strictly: a wrong type makes a condition fail as a spent limit does, and must not deny. The item is
// nil or empty if there is none.
func (l *Limiter) parse(item map[string]types.AttributeValue, pk string) ([]ratelimit.State, error) {
	states := make([]ratelimit.State, len(l.slots))
	if len(item) == 0 {
		return states, nil
	}
	if v, ok := item[attrPK].(*types.AttributeValueMemberS); !ok || v.Value != pk {
		return nil, itemError("its PK is not the one that was asked for")
	}
	for name, value := range item {
		if name == attrPK {
			continue
		}
		if name == attrTTL {
			if _, err := number(value); err != nil {
				return nil, itemError(attrTTL + ": " + err.Error())
			}
			continue
		}
		i := l.slotOf(name)
		if i < 0 {
			return nil, itemError("it has an attribute that no policy has")
		}
		if err := l.slots[i].parse(&states[i], name, value); err != nil {
			return nil, itemError(l.slots[i].attr + ": " + err.Error())
		}
	}
	return states, nil
}

func (l *Limiter) slotOf(name string) int {
	for i := range l.slots {
		s := &l.slots[i]
		if name == s.attr || (s.policy.Algorithm == ratelimit.FixedWindow && strings.HasPrefix(name, s.attr)) {
			return i
		}
	}
	return -1
}

func (s *slot) parse(state *ratelimit.State, name string, value types.AttributeValue) (err error) {
	switch s.policy.Algorithm {
	case ratelimit.FixedWindow:
		text := strings.TrimPrefix(name, s.attr)
		window, err := strconv.ParseInt(text, 10, 64)
		if err != nil || strconv.FormatInt(window, 10) != text {
			return errors.New("not a window's number")
		}
		units, err := number(value)
		if err != nil {
			return err
		}
		if state.Windows == nil {
			state.Windows = map[int64]int64{}
		}
		state.Windows[window] = units
	case ratelimit.SlidingLog:
		list, ok := value.(*types.AttributeValueMemberL)
		if !ok {
			return fmt.Errorf("%T, want a list", value)
		}
		if int64(len(list.Value)) != s.policy.Limit {
			return fmt.Errorf("%d times, want %d", len(list.Value), s.policy.Limit)
		}
		state.Log = make([]int64, len(list.Value))
		for i, at := range list.Value {
			if state.Log[i], err = number(at); err != nil {
				return err
			}
		}
	default:
		state.TAT, err = number(value)
	}
	return err
}

// number returns a whole number that is not negative. The errors do not have the value.
func number(value types.AttributeValue) (int64, error) {
	n, ok := value.(*types.AttributeValueMemberN)
	if !ok {
		return 0, fmt.Errorf("%T, want a number", value)
	}
	v, err := strconv.ParseInt(n.Value, 10, 64)
	if err != nil || v < 0 {
		return 0, errors.New("not a whole number of 0 or more")
	}
	return v, nil
}
