package rawjson

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// Every byte at every place of two words is found, and nothing else.
func TestPlain(t *testing.T) {
	t.Parallel()
	const length = 20
	for c := range 256 {
		isPlain := c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf
		for place := range length {
			for from := range length + 1 {
				text := []byte(strings.Repeat("~", length))
				text[place] = byte(c)
				want := length
				if !isPlain && place >= from {
					want = place
				}
				if got := plain(text, from); got != want {
					t.Fatalf("%q from %d: got %d, want %d", text, from, got, want)
				}
				if got := plain(string(text), from); got != want {
					t.Fatalf("string %q from %d: got %d, want %d", text, from, got, want)
				}
			}
		}
	}
}

// What is written by hand is what encoding/json reads, and the other way round.
func FuzzText(f *testing.F) {
	for _, seed := range []string{"", "plain", "a \"quote\" and a \\", "línea\n\t\x00\x1f\x7f", "日本語の長いテキスト、そして😀", "\xff\xfe broken", strings.Repeat("x", 40) + "\"" + strings.Repeat("é", 9)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		written := AppendString(nil, text)
		var got string
		if err := json.Unmarshal(written, &got); err != nil || got != strings.ToValidUTF8(text, "\uFFFD") && got != string([]rune(text)) {
			t.Fatalf("encoding/json reads %q of %q: %v", got, written, err)
		}
		standard, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, encoded := range [][]byte{written, standard} {
			r := NewReader(string(encoded))
			if read := r.Text(); r.Err() != nil || read != got {
				t.Fatalf("got %q of %q: %v", read, encoded, r.Err())
			}
		}
	})
}
