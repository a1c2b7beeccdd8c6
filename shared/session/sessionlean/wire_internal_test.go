package sessionlean

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tienda-dev/tienda/shared/session/internal/layout"
)

// text draws any text, with characters that JSON escapes.
func text() *rapid.Generator[string] {
	return rapid.OneOf(rapid.StringN(1, 20, -1), rapid.SampledFrom([]string{`"`, `\`, "\n\t\x01", "<&>\u2028", "\U0001F600é"}))
}

func TestRequestIsThatOfEncodingJSON(t *testing.T) {
	t.Parallel()
	names := map[string]any{}
	projection := []string{"PK", "SK"}
	for i, attribute := range layout.Attributes() {
		name := "#" + string(rune('a'+i))
		names[name] = attribute
		projection = append(projection, name)
	}
	rapid.Check(t, func(t *rapid.T) {
		table, strong := text().Draw(t, "table"), rapid.Bool().Draw(t, "strong")
		keys := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) layout.Key {
			return layout.Key{PK: text().Draw(t, "PK"), SK: text().Draw(t, "SK")}
		}), 1, 4).Draw(t, "keys")
		list := []any{}
		for _, key := range keys {
			list = append(list, map[string]any{"PK": map[string]any{"S": key.PK}, "SK": map[string]any{"S": key.SK}})
		}
		want := map[string]any{"RequestItems": map[string]any{table: map[string]any{
			"Keys": list, "ConsistentRead": strong, "ProjectionExpression": strings.Join(projection, ","), "ExpressionAttributeNames": names,
		}}}
		var got any
		if err := json.Unmarshal(newRequest(table).body(keys, strong), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(any(want), got); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

func TestAnswerIsThatOfEncodingJSON(t *testing.T) {
	t.Parallel()
	value := rapid.Custom(func(t *rapid.T) any {
		switch rapid.IntRange(0, 4).Draw(t, "type") {
		case 0:
			return map[string]any{"S": text().Draw(t, "S")}
		case 1:
			return map[string]any{"N": rapid.SampledFrom([]string{"1", "-1.5e3", ""}).Draw(t, "N")}
		case 2:
			return map[string]any{"NULL": true}
		case 3:
			return map[string]any{"S": nil, "M": map[string]any{"x": map[string]any{"L": []any{map[string]any{"B": "AQ=="}}}}}
		default:
			return map[string]any{}
		}
	})
	items := rapid.SliceOfN(rapid.MapOfN(text(), value, 0, 4), 0, 3)
	rapid.Check(t, func(t *rapid.T) {
		table := text().Draw(t, "table")
		body := map[string]any{"ConsumedCapacity": []any{1}}
		if rapid.Bool().Draw(t, "answered") {
			body["Responses"] = map[string]any{table: items.Draw(t, "items"), table + "2": items.Draw(t, "others")}
		}
		if rapid.Bool().Draw(t, "unprocessed") {
			body["UnprocessedKeys"] = map[string]any{table: map[string]any{"Keys": items.Draw(t, "keys"), "ConsistentRead": true}}
		}
		encoded, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		var want struct {
			Responses       map[string][]layout.Item
			UnprocessedKeys map[string]struct{ Keys []layout.Item }
		}
		if err := json.Unmarshal(encoded, &want); err != nil {
			t.Fatal(err)
		}
		got, err := readAnswer(table, string(encoded))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([][]layout.Item{want.Responses[table], want.UnprocessedKeys[table].Keys}, [][]layout.Item{got.items, got.left}); diff != "" {
			t.Fatalf("(-want +got) of %s:\n%s", encoded, diff)
		}
	})
}
