package sessionlean

import (
	"strconv"

	"github.com/tienda-dev/tienda/shared/internal/rawjson"
	"github.com/tienda-dev/tienda/shared/session/internal/layout"
)

// request writes BatchGetItem's input without encoding/json, which would take a twentieth of the authorizer's time. The
// authorizer runs before every protected request.
type request struct {
	// head goes before the keys, tail behind the choice of consistency.
	head, tail string
}

func newRequest(table string) request {
	head := rawjson.AppendString([]byte(`{"RequestItems":{`), table)
	head = append(head, `:{"Keys":[`...)
	projection, names := []byte(`,"ProjectionExpression":"PK,SK`), []byte(`","ExpressionAttributeNames":{`)
	for i, attribute := range layout.Attributes() { // by other names, because DynamoDB reserves many words
		name := "#" + string(rune('a'+i))
		projection = append(projection, ","+name...)
		if i > 0 {
			names = append(names, ',')
		}
		names = append(rawjson.AppendString(names, name), ':')
		names = rawjson.AppendString(names, attribute)
	}
	return request{head: string(head), tail: string(projection) + string(names) + `}}}}`}
}

func (r request) body(keys []layout.Key, strong bool) []byte {
	const keySize = 80
	b := make([]byte, 0, len(r.head)+len(r.tail)+len(keys)*keySize+40)
	b = append(b, r.head...)
	for i, key := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = rawjson.AppendString(append(b, `{"PK":{"S":`...), key.PK)
		b = rawjson.AppendString(append(b, `},"SK":{"S":`...), key.SK)
		b = append(b, `}}`...)
	}
	b = strconv.AppendBool(append(b, `],"ConsistentRead":`...), strong)
	return append(b, r.tail...)
}

// answer is what BatchGetItem answers for one table.
type answer struct {
	// items is nil if the answer does not name the table.
	items []layout.Item
	// left are the unprocessed keys.
	left []layout.Item
}

func readAnswer(table, text string) (answer, error) {
	var a answer
	r := rawjson.NewReader(text)
	r.Object(func(name string) {
		switch name {
		case "Responses":
			readTable(r, table, func() { a.items = readItems(r) })
		case "UnprocessedKeys":
			readTable(r, table, func() {
				r.Object(func(name string) {
					if name == "Keys" {
						a.left = readItems(r)
						return
					}
					r.Skip()
				})
			})
		default:
			r.Skip()
		}
	})
	r.End()
	return a, r.Err()
}

// readTable reads the table's member of an object.
func readTable(r *rawjson.Reader, table string, read func()) {
	r.Object(func(name string) {
		if name == table {
			read()
			return
		}
		r.Skip()
	})
}

func readItems(r *rawjson.Reader) []layout.Item {
	if r.Null() {
		return nil
	}
	items := []layout.Item{}
	r.Array(func() {
		item := make(layout.Item, 8)
		r.Object(func(name string) { item[name] = readValue(r) })
		items = append(items, item)
	})
	return items
}

// readValue reads an attribute. One of a type that a check does not read is empty.
func readValue(r *rawjson.Reader) layout.Value {
	var v layout.Value
	r.Object(func(name string) {
		switch name {
		case "S":
			v.S = readText(r)
		case "N":
			v.N = readText(r)
		default:
			r.Skip()
		}
	})
	return v
}

func readText(r *rawjson.Reader) *string {
	if r.Null() {
		return nil
	}
	return new(r.Text())
}
