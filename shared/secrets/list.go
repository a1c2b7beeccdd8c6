package secrets

import (
	"bytes"
	"encoding/json"
	"errors"
)

// ErrDecode is returned for a secret that has the wrong form. It does not quote what was found, which
// would be a part of the secret.
var ErrDecode = errors.New("secrets: not a JSON object, or a list of objects, of the expected form")

// List decodes a JSON list of T; one object is a list of one. Unknown members are
// skipped, so that a secret can hold notes. An empty list is ErrDecode.
func List[T any](data []byte) ([]T, error) {
	data = bytes.TrimSpace(data)
	if len(data) == 0 {
		return nil, ErrDecode
	}
	if data[0] == '{' {
		var one T
		if err := json.Unmarshal(data, &one); err != nil {
			return nil, ErrDecode
		}
		return []T{one}, nil
	}

	var elements []json.RawMessage
	if err := json.Unmarshal(data, &elements); err != nil || len(elements) == 0 {
		return nil, ErrDecode
	}
	list := make([]T, len(elements))
	for i, element := range elements {
		if element[0] != '{' || json.Unmarshal(element, &list[i]) != nil {
			return nil, ErrDecode
		}
	}
	return list, nil
}
