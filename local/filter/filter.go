// Package filter matches events against the filter patterns of Lambda's event sources. A pattern is a JSON object
// of the event's shape, with a list of what is accepted at each leaf:
//
//	{"eventName": ["INSERT"], "dynamodb": {"Keys": {"SK": {"S": [{"prefix": "EV#"}]}}}}
//
// Every member of a pattern must match, by one item of its list. What it cannot match it refuses. (AWS Lambda
// developer guide, "Filter rule syntax".)
package filter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// Pattern is one filter pattern.
type Pattern struct {
	source  string
	members map[string]node
}

// String returns the pattern as it was written.
func (p Pattern) String() string { return p.source }

// node is what a pattern wants of one member: the members below it, or one of the rules.
type node struct {
	members map[string]node
	rules   []rule
}

// rule accepts the value of a member. present is false where the event has none.
type rule func(value any, present bool) bool

// Parse reads a pattern. Its error names what is not supported.
func Parse(source string) (Pattern, error) {
	decoder := json.NewDecoder(strings.NewReader(source))
	decoder.UseNumber()
	var object map[string]any
	if err := decoder.Decode(&object); err != nil {
		return Pattern{}, fmt.Errorf("the filter pattern is not a JSON object: %w", err)
	}
	if decoder.More() {
		return Pattern{}, errors.New("the filter pattern has text after its object")
	}
	members, err := parseMembers(object)
	return Pattern{source: source, members: members}, err
}

func parseMembers(object map[string]any) (map[string]node, error) {
	if len(object) == 0 {
		return nil, errors.New("a filter pattern has an empty object")
	}
	members := make(map[string]node, len(object))
	for name, value := range object {
		if strings.HasPrefix(name, "$") {
			return nil, fmt.Errorf("the filter pattern has %s, which is not supported", name)
		}
		switch v := value.(type) {
		case map[string]any:
			below, err := parseMembers(v)
			if err != nil {
				return nil, err
			}
			members[name] = node{members: below}
		case []any:
			rules, err := parseRules(name, v)
			if err != nil {
				return nil, err
			}
			members[name] = node{rules: rules}
		default:
			return nil, fmt.Errorf("the filter pattern's %s must be a list or an object", name)
		}
	}
	return members, nil
}

func parseRules(name string, list []any) ([]rule, error) {
	if len(list) == 0 {
		return nil, fmt.Errorf("the filter pattern's %s has an empty list", name)
	}
	var rules []rule
	for _, item := range list {
		r, err := parseRule(item)
		if err != nil {
			return nil, fmt.Errorf("the filter pattern's %s %w", name, err)
		}
		rules = append(rules, r)
	}
	return rules, nil
}

func parseRule(item any) (rule, error) {
	object, ok := item.(map[string]any)
	if !ok {
		if _, list := item.([]any); list {
			return nil, errors.New("has a list in its list")
		}
		return func(value any, present bool) bool { return present && equal(value, item) }, nil
	}
	if len(object) != 1 {
		return nil, errors.New("has a rule that is not one operator")
	}
	for operator, argument := range object {
		switch operator {
		case "exists":
			want, ok := argument.(bool)
			if !ok {
				return nil, errors.New("has exists without true or false")
			}
			return func(_ any, present bool) bool { return present == want }, nil
		case "anything-but":
			return anythingBut(argument)
		case "numeric":
			return numeric(argument)
		case "prefix", "suffix", "equals-ignore-case":
			text, ok := argument.(string)
			if !ok {
				return nil, fmt.Errorf("has %s of something that is not a text", operator)
			}
			return textual(operator, text), nil
		default:
			return nil, fmt.Errorf("has the operator %s, which is not supported", operator)
		}
	}
	return nil, nil // the object has one member
}

func textual(operator, want string) rule {
	compare := strings.HasPrefix
	switch operator {
	case "suffix":
		compare = strings.HasSuffix
	case "equals-ignore-case":
		compare = strings.EqualFold
	}
	return func(value any, _ bool) bool {
		text, ok := value.(string)
		return ok && compare(text, want)
	}
}

// anythingBut accepts a value that equals none of the argument's.
func anythingBut(argument any) (rule, error) {
	list, ok := argument.([]any)
	if !ok {
		list = []any{argument}
	}
	var refused []rule
	for _, item := range list {
		r, err := parseRule(item)
		if err != nil {
			return nil, err
		}
		refused = append(refused, r)
	}
	return func(value any, present bool) bool {
		return present && !slices.ContainsFunc(refused, func(r rule) bool { return r(value, present) })
	}, nil
}

// numeric reads ["<", 10] or [">", 0, "<=", 5].
func numeric(argument any) (rule, error) {
	list, ok := argument.([]any)
	if !ok || len(list) == 0 || len(list)%2 != 0 {
		return nil, errors.New("has numeric without pairs of a comparison and a number")
	}
	type bound struct {
		operator string
		limit    *big.Rat
	}
	var bounds []bound
	for i := 0; i < len(list); i += 2 {
		operator, _ := list[i].(string)
		limit, isNumber := number(list[i+1])
		if !isNumber || !slices.Contains([]string{"=", "<", "<=", ">", ">="}, operator) {
			return nil, fmt.Errorf("has numeric with %v %v", list[i], list[i+1])
		}
		bounds = append(bounds, bound{operator, limit})
	}
	return func(value any, _ bool) bool {
		n, ok := number(value)
		if !ok {
			return false
		}
		for _, b := range bounds {
			order := n.Cmp(b.limit)
			holds := map[string]bool{"=": order == 0, "<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0}
			if !holds[b.operator] {
				return false
			}
		}
		return true
	}, nil
}

func number(value any) (*big.Rat, bool) {
	n, ok := value.(json.Number)
	if !ok {
		return nil, false
	}
	return new(big.Rat).SetString(n.String())
}

func equal(a, b any) bool {
	x, isNumber := number(a)
	y, areNumbers := number(b)
	if isNumber && areNumbers {
		return x.Cmp(y) == 0
	}
	return a == b
}

// Match reports whether a JSON object matches the pattern. Text that is not one does not.
func (p Pattern) Match(event []byte) bool {
	decoder := json.NewDecoder(bytes.NewReader(event))
	decoder.UseNumber()
	var object map[string]any
	return decoder.Decode(&object) == nil && matchMembers(p.members, object, true)
}

func matchMembers(wanted map[string]node, object map[string]any, present bool) bool {
	for name, n := range wanted {
		value, has := object[name]
		if !n.match(value, has && present) {
			return false
		}
	}
	return true
}

func (n node) match(value any, present bool) bool {
	if n.members != nil {
		below, isObject := value.(map[string]any)
		return matchMembers(n.members, below, present && isObject)
	}
	if list, ok := value.([]any); ok { // one of its items is enough
		return slices.ContainsFunc(list, func(item any) bool { return n.match(item, true) })
	}
	if _, isObject := value.(map[string]any); isObject {
		present = false // rules read leaves only
	}
	return slices.ContainsFunc(n.rules, func(r rule) bool { return r(value, present) })
}

// MatchAny reports whether the event matches one of the patterns, as it does when there are none.
func MatchAny(patterns []Pattern, event []byte) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p Pattern) bool { return p.Match(event) })
}

// Wants reports whether the pattern looks into the member as into an object.
func (p Pattern) Wants(member string) bool { return p.members[member].members != nil }
