package memtable

import (
	"bytes"
	"encoding/json"
	"math/big"
	"strings"
)

// Value is an attribute in DynamoDB's JSON, such as {"S":"text"}. Nil is one that an item does not have.
type Value json.RawMessage

// MarshalJSON implements json.Marshaler.
func (v Value) MarshalJSON() ([]byte, error) { return v, nil }

// UnmarshalJSON implements json.Unmarshaler.
func (v *Value) UnmarshalJSON(text []byte) error {
	*v = bytes.Clone(text)
	return nil
}

// Item is an item by the names of its attributes.
type Item map[string]Value

// text returns what is in a value of the type "S" or "N".
func (v Value) text(kind string) (string, bool) {
	var m map[string]json.RawMessage
	if v == nil || json.Unmarshal(v, &m) != nil || m[kind] == nil {
		return "", false
	}
	var s string
	if json.Unmarshal(m[kind], &s) != nil {
		return "", false
	}
	return s, true
}

// number returns a whole number. Others are not in the tables of this repository.
func (v Value) number() (*big.Int, bool) {
	text, ok := v.text("N")
	if !ok {
		return nil, false
	}
	return new(big.Int).SetString(strings.TrimSpace(text), 10)
}

func (v Value) equal(other Value) bool { return bytes.Equal(v, other) }

func number(n *big.Int) Value { return Value(`{"N":"` + n.String() + `"}`) }

// String returns the value of a text attribute.
func String(text string) Value {
	quoted, _ := json.Marshal(text) // a string always marshals
	return Value(`{"S":` + string(quoted) + `}`)
}
