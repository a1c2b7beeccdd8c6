package api

import (
	"strings"

	"github.com/oklog/ulid/v2"
)

// ULID returns the canonical form of a ULID, in capitals, and false for any other text. Letters may be in
// lower case, as the specification allows (https://github.com/ulid/spec).
func ULID(text string) (string, bool) {
	if _, err := ulid.ParseStrict(text); err != nil {
		return "", false
	}
	return strings.ToUpper(text), true
}
