package rawjson

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"unicode/utf8"
)

// values decodes a text to the values of encoding/json, with the reader's own methods.
func values(r *Reader) any {
	switch r.peek() {
	case '{':
		m := map[string]any{}
		r.Object(func(name string) { m[name] = values(r) })
		return m
	case '[':
		list := []any{}
		r.Array(func() { list = append(list, values(r)) })
		return list
	case '"':
		return r.Text()
	case 't', 'f':
		return r.Bool()
	case 'n':
		r.Null()
		return nil
	default:
		return json.Number(r.number())
	}
}

// FuzzReader compares the reader with encoding/json: both must accept the same texts and read the same
// values.
func FuzzReader(f *testing.F) {
	for _, text := range []string{
		`{"a":[1,-0.5e+10,true,false,null,"x\u00e9\ud83d\ude00\ud800\n\/"],"b":{}}`, `[]`, `"\ud800\u0041"`, "\"\xff\xfe\"", `01`, `-`, `1.`, `.5`,
		`1e`, `{"a":1,}`, `[1,]`, `{"a"}`, `nul`, `"`, `"\`, `"\u12`, `"\u00zz"`, "\"\x01\"", ` {} `, `{}{}`, `{"a":1 "b":2}`, "\x00", `"\ud83d\u0020"`, `{"a":1,"a":2}`, "\"\\u\x10041\"", "\"\\n\x01\"",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := &Reader{text: text}
		got := values(r)
		r.End()

		var want any
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		valid := json.Valid([]byte(text))
		if valid {
			if err := d.Decode(&want); err != nil {
				t.Fatal(err)
			}
		}
		if strings.Count(text, "[")+strings.Count(text, "{") > maxDepth {
			return // encoding/json accepts deeper nesting
		}
		if valid != (r.err == nil) {
			t.Fatalf("%q: valid %t, reader returns %v", text, valid, r.err)
		}
		if !valid {
			return
		}
		gotJSON, _ := json.Marshal(got)
		wantJSON, _ := json.Marshal(want)
		if string(gotJSON) != string(wantJSON) {
			t.Fatalf("%q: read %s, want %s", text, gotJSON, wantJSON)
		}

		skipper := &Reader{text: text}
		if raw := skipper.Skip(); strings.TrimSpace(text) != raw {
			t.Fatalf("%q: skip read %q", text, raw)
		}
	})
}

func TestReaderInteger(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		text string
		want int64
		ok   bool
	}{
		"Milliseconds": {"1783711145766", 1783711145766, true},
		"Exponent":     {"1.783711145766e12", 1783711145766, true},
		"Fraction":     {"1795532160.9", 1795532160, true},
		"Negative":     {"-1", -1, true},
		"Largest":      {"9223372036854775807", math.MaxInt64, true},
		"Null":         {"null", 0, true},
		"TooLarge":     {"1e300", 0, false},
		"Text":         {`"1"`, 0, false},
		"Nothing":      {"", 0, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &Reader{text: test.text}
			if got := r.Integer(); got != test.want || (r.err == nil) != test.ok {
				t.Errorf("read %d, error %v; want %d, ok %t", got, r.err, test.want, test.ok)
			}
		})
	}
}

func TestReaderStopsAtTheDepthLimit(t *testing.T) {
	t.Parallel()
	for depth, ok := range map[int]bool{maxDepth: true, maxDepth + 1: false, 1_000_000: false} {
		r := &Reader{text: strings.Repeat("[", depth) + strings.Repeat("]", depth)}
		if r.Skip(); (r.err == nil) != ok {
			t.Errorf("depth %d: %v", depth, r.err)
		}
	}
}

// FuzzAppendString checks that encoding/json reads back the text that the encoder writes, with U+FFFD for
// bytes that are not UTF-8.
func FuzzAppendString(f *testing.F) {
	f.Add("a\"\\\x00\x1f\u2028\xff\xe2\x80λ😀")
	f.Fuzz(func(t *testing.T, s string) {
		for _, out := range [][]byte{AppendString(nil, s), AppendString(nil, []byte(s))} {
			var got string
			if err := json.Unmarshal(out, &got); err != nil || !utf8.Valid(out) {
				t.Fatalf("%q is not JSON: %v", out, err)
			}
			if want := string([]rune(s)); got != want {
				t.Fatalf("read back %q, want %q", got, want)
			}
		}
	})
}
