package otlp

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// idsToBase64 returns OTLP's JSON in protobuf's: OTLP writes trace and span ids in hex, and protobuf all bytes
// in base64. Attributes are not fields, so no attribute has one of the names.
func idsToBase64(text []byte) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber() // 64-bit numbers stay exact
	var document any
	if err := decoder.Decode(&document); err != nil {
		return nil, err
	}
	if err := convertIDs(document); err != nil {
		return nil, err
	}
	return json.Marshal(document)
}

func convertIDs(value any) error {
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			if err := convertIDs(item); err != nil {
				return err
			}
		}
	case map[string]any:
		for name, field := range value {
			text, isText := field.(string)
			switch name {
			case "traceId", "spanId", "parentSpanId":
				id, err := hex.DecodeString(text)
				if !isText || err != nil {
					return fmt.Errorf("%s: want hex digits", name)
				}
				value[name] = base64.StdEncoding.EncodeToString(id)
			default:
				if err := convertIDs(field); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
