package apitest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf16"
)

// Escaped returns v, made of maps, lists, texts and scalars, in the longest form that writers of JSON use: every
// character of a text or name as \u escapes, and every member and item on a line of its own.
func Escaped(v any) string {
	switch v := v.(type) {
	case string:
		var b strings.Builder
		for _, unit := range utf16.Encode([]rune(v)) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
		return `"` + b.String() + `"`
	case map[string]any:
		var members []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			members = append(members, Escaped(name)+": "+Escaped(v[name]))
		}
		return "{\n    " + strings.Join(members, ",\n    ") + "\n}"
	case []any:
		var items []string
		for _, item := range v {
			items = append(items, Escaped(item))
		}
		return "[\n    " + strings.Join(items, ",\n    ") + "\n]"
	default:
		text, err := json.Marshal(v)
		if err != nil {
			panic(err) // a fixture that is not JSON
		}
		return string(text)
	}
}
