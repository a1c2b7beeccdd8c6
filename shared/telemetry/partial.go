package telemetry

import (
	"encoding/binary"
	"encoding/json"
	"strconv"
	"strings"
)

// partial returns a *partialError if a collector's answer says that it has rejected some items: the field
// partial_success, 1, of every Export…ServiceResponse, whose field 1 is their number.
func partial(contentType string, answer []byte) error {
	rejected := int64(0)
	if strings.Contains(contentType, "json") {
		rejected = partialJSON(answer)
	} else if success, ok := field(answer, 1); ok {
		rejected = varint(success, 1)
	}
	if rejected > 0 {
		return &partialError{int(rejected)}
	}
	return nil
}

func partialJSON(answer []byte) int64 {
	var body struct {
		PartialSuccess map[string]json.RawMessage `json:"partialSuccess"` //nolint:tagliatelle // OTLP's name
	}
	if json.Unmarshal(answer, &body) != nil {
		return 0
	}
	for name, value := range body.PartialSuccess {
		if strings.HasPrefix(name, "rejected") {
			n, err := strconv.ParseInt(strings.Trim(string(value), `"`), 10, 64)
			if err == nil {
				return n
			}
		}
	}
	return 0
}

// field returns the bytes of the message's field with the number.
func field(message []byte, number uint64) ([]byte, bool) {
	var found []byte
	ok := false
	walk(message, func(n uint64, _ uint64, bytes []byte) {
		if n == number && bytes != nil {
			found, ok = bytes, true
		}
	})
	return found, ok
}

func varint(message []byte, number uint64) int64 {
	var value int64
	walk(message, func(n, v uint64, bytes []byte) {
		if n == number && bytes == nil {
			value = int64(v)
		}
	})
	return value
}

// walk calls visit for every varint and every byte string of a protobuf message, and ends at what it cannot read.
func walk(message []byte, visit func(number, value uint64, bytes []byte)) {
	for len(message) > 0 {
		tag, n := binary.Uvarint(message)
		if n <= 0 {
			return
		}
		message = message[n:]
		value, n := binary.Uvarint(message)
		if n <= 0 {
			return
		}
		message = message[n:]
		switch tag & 7 {
		case 0:
			visit(tag>>3, value, nil)
		case 2:
			if value > uint64(len(message)) {
				return
			}
			visit(tag>>3, 0, message[:value:value])
			message = message[value:]
		default:
			return
		}
	}
}
