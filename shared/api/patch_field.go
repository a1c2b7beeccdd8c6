package api

import (
	"bytes"
	"encoding/json"
	"reflect"
)

// PatchField is a member of a merge patch (RFC 7396): absent, null, or a value. The zero value is
// absent.
type PatchField[T any] struct {
	// Value is the member's value; the zero value where it is absent or null.
	Value T
	// Set reports that the member was present, null included.
	Set bool
	// Null reports that the member was present and null.
	Null bool
}

// UnmarshalJSON implements json.Unmarshaler.
func (o *PatchField[T]) UnmarshalJSON(data []byte) error {
	o.Set = true
	if bytes.Equal(data, []byte("null")) {
		o.Null = true
		return nil
	}
	return json.Unmarshal(data, &o.Value)
}

// Apply writes the member's value to dst when it was present; null writes the zero value.
func (o PatchField[T]) Apply(dst *T) {
	if o.Set {
		*dst = o.Value
	}
}

func (o PatchField[T]) valueType() reflect.Type { return reflect.TypeFor[T]() }
