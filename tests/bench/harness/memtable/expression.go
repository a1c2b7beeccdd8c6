package memtable

import (
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
)

// parser evaluates DynamoDB's condition, key condition and update expressions on one item. It knows top-level attributes
// only, and refuses whatever else it does not know.
type parser struct {
	tokens []string
	names  map[string]string
	values map[string]Value
	item   Item
}

// newParser splits the text into names, placeholders and signs.
func newParser(text string, names map[string]string, values map[string]Value, item Item) *parser {
	p := &parser{names: names, values: values, item: item}
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == ' ' || c == '\n' || c == '\t':
			i++
		case strings.IndexByte("(),+-=", c) >= 0:
			p.tokens = append(p.tokens, text[i:i+1])
			i++
		case c == '<' || c == '>':
			n := 1
			if i+1 < len(text) && (text[i+1] == '=' || text[i+1] == '>') {
				n = 2
			}
			p.tokens = append(p.tokens, text[i:i+n])
			i += n
		default:
			n := strings.IndexAny(text[i:], " \n\t(),+-=<>")
			if n < 0 {
				n = len(text) - i
			}
			p.tokens = append(p.tokens, text[i:i+n])
			i += n
		}
	}
	return p
}

func (p *parser) peek() string {
	if len(p.tokens) == 0 {
		return ""
	}
	return p.tokens[0]
}

func (p *parser) take() string {
	t := p.peek()
	if t != "" {
		p.tokens = p.tokens[1:]
	}
	return t
}

// accept takes the next token if it is the wanted one. Keywords have no case.
func (p *parser) accept(want string) bool {
	if !strings.EqualFold(p.peek(), want) {
		return false
	}
	p.take()
	return true
}

func (p *parser) expect(want string) error {
	if !p.accept(want) {
		return fmt.Errorf("expression: %q where %q is expected", p.peek(), want)
	}
	return nil
}

// condition evaluates a whole condition.
func (p *parser) condition() (bool, error) {
	holds, err := p.or()
	if err == nil && len(p.tokens) > 0 {
		err = fmt.Errorf("expression: %q after its end", p.peek())
	}
	return holds, err
}

func (p *parser) or() (bool, error) {
	holds, err := p.and()
	for err == nil && p.accept("OR") {
		var more bool
		more, err = p.and()
		holds = holds || more
	}
	return holds, err
}

func (p *parser) and() (bool, error) {
	holds, err := p.not()
	for err == nil && p.accept("AND") {
		var more bool
		more, err = p.not()
		holds = holds && more
	}
	return holds, err
}

func (p *parser) not() (bool, error) {
	switch {
	case p.accept("NOT"):
		holds, err := p.not()
		return !holds, err
	case p.accept("("):
		holds, err := p.or()
		if err != nil {
			return false, err
		}
		return holds, p.expect(")")
	}
	return p.predicate()
}

// predicate evaluates a function or a comparison.
func (p *parser) predicate() (bool, error) {
	first := p.take()
	if p.peek() == "(" {
		arguments, err := p.arguments()
		if err != nil {
			return false, err
		}
		return call(strings.ToLower(first), arguments)
	}
	left, err := p.operand(first)
	if err != nil {
		return false, err
	}
	switch operator := strings.ToUpper(p.take()); operator {
	case "BETWEEN":
		low, err := p.operand(p.take())
		if err != nil {
			return false, err
		}
		if err := p.expect("AND"); err != nil {
			return false, err
		}
		high, err := p.operand(p.take())
		return compare(left, low, ">=") && compare(left, high, "<="), err
	case "IN":
		list, err := p.arguments()
		return slices.ContainsFunc(list, func(v Value) bool { return compare(left, v, "=") }), err
	case "=", "<>", "<", "<=", ">", ">=":
		right, err := p.operand(p.take())
		return compare(left, right, operator), err
	default:
		return false, fmt.Errorf("expression: %q is not an operator", operator)
	}
}

// arguments returns the values in brackets.
func (p *parser) arguments() ([]Value, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	var list []Value
	for {
		v, err := p.operand(p.take())
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		if !p.accept(",") {
			return list, p.expect(")")
		}
	}
}

// operand returns the value of a placeholder or an attribute. One that the item does not have is nil.
func (p *parser) operand(token string) (Value, error) {
	if strings.HasPrefix(token, ":") {
		v, ok := p.values[token]
		if !ok {
			return nil, fmt.Errorf("expression: %s has no value", token)
		}
		return v, nil
	}
	name, err := p.name(token)
	return p.item[name], err
}

// name returns the name of an attribute.
func (p *parser) name(token string) (string, error) {
	if strings.HasPrefix(token, "#") {
		name, ok := p.names[token]
		if !ok {
			return "", fmt.Errorf("expression: %s has no name", token)
		}
		return name, nil
	}
	if token == "" || strings.ContainsAny(token, ".[(") {
		return "", fmt.Errorf("expression: %q is not the name of an attribute", token)
	}
	return token, nil
}

func call(function string, arguments []Value) (bool, error) {
	switch {
	case function == "attribute_exists" && len(arguments) == 1:
		return arguments[0] != nil, nil
	case function == "attribute_not_exists" && len(arguments) == 1:
		return arguments[0] == nil, nil
	case function == "begins_with" && len(arguments) == 2:
		text, ok := arguments[0].text("S")
		prefix, ok2 := arguments[1].text("S")
		return ok && ok2 && strings.HasPrefix(text, prefix), nil
	}
	return false, fmt.Errorf("expression: %s of %d arguments is not a known function", function, len(arguments))
}

// compare compares two strings or two numbers. Whatever else there is does not hold.
func compare(left, right Value, operator string) bool {
	var order int
	if a, ok := left.text("S"); ok {
		b, ok := right.text("S")
		if !ok {
			return false
		}
		order = strings.Compare(a, b)
	} else {
		a, ok := left.number()
		b, ok2 := right.number()
		if !ok || !ok2 {
			return operator == "=" && left != nil && left.equal(right)
		}
		order = a.Cmp(b)
	}
	switch operator {
	case "=":
		return order == 0
	case "<>":
		return order != 0
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	default:
		return order >= 0
	}
}

// update changes a copy of the item and returns it. Operands are those of the item before.
func (p *parser) update() (Item, error) {
	after := make(Item, len(p.item)+4)
	maps.Copy(after, p.item)
	for len(p.tokens) > 0 {
		var err error
		switch keyword := strings.ToUpper(p.take()); keyword {
		case "SET":
			err = p.each(func(name string) error { return p.set(after, name) })
		case "REMOVE":
			err = p.each(func(name string) error { delete(after, name); return nil })
		case "ADD":
			err = p.each(func(name string) error {
				value, err := p.operand(p.take())
				if err != nil {
					return err
				}
				old := p.item[name]
				if old == nil {
					old = number(new(big.Int))
				}
				after[name], err = sum(old, value, "+")
				return err
			})
		default:
			err = fmt.Errorf("expression: %q is not a clause", keyword)
		}
		if err != nil {
			return nil, err
		}
	}
	return after, nil
}

// each calls do with the name of every element of a clause.
func (p *parser) each(do func(name string) error) error {
	for {
		name, err := p.name(p.take())
		if err == nil {
			err = do(name)
		}
		if err != nil || !p.accept(",") {
			return err
		}
	}
}

func (p *parser) set(after Item, name string) error {
	if err := p.expect("="); err != nil {
		return err
	}
	value, err := p.setOperand()
	if sign := p.peek(); err == nil && (sign == "+" || sign == "-") {
		p.take()
		var more Value
		if more, err = p.setOperand(); err == nil {
			value, err = sum(value, more, sign)
		}
	}
	if err == nil && value == nil {
		err = fmt.Errorf("expression: the item has no %s", name)
	}
	after[name] = value
	return err
}

func (p *parser) setOperand() (Value, error) {
	if !p.accept("if_not_exists") {
		return p.operand(p.take())
	}
	arguments, err := p.arguments()
	if err != nil {
		return nil, err
	}
	if len(arguments) != 2 {
		return nil, errors.New("expression: if_not_exists has two arguments")
	}
	if arguments[0] != nil {
		return arguments[0], nil
	}
	return arguments[1], nil
}

// sum adds or subtracts two numbers.
func sum(left, right Value, sign string) (Value, error) {
	a, ok := left.number()
	b, ok2 := right.number()
	if !ok || !ok2 {
		return nil, errors.New("expression: an operand is not a whole number")
	}
	if sign == "-" {
		return number(new(big.Int).Sub(a, b)), nil
	}
	return number(new(big.Int).Add(a, b)), nil
}
