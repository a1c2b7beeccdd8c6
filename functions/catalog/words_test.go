package catalog_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/catalog"
)

func TestQuery(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text, phrase string
		words              []string
	}{
		{"Nothing", "", "", nil},
		{"OnlySeparators", " -.,# ", "", nil},
		{"LowerCase", "Dark ROAST", "dark roast", []string{"dark", "roast"}},
		{"SplitsOnEverythingElse", "COF-250_a1/b.c2#d3", "cof 250 a1 b c2 d3", []string{"cof", "250", "a1", "c2", "d3"}},
		{"TooShortIsLeftOut", "a bc é", "a bc e", []string{"bc"}},
		{"TooLongIsCut", strings.Repeat("é", 40), strings.Repeat("e", 40), []string{strings.Repeat("e", 32)}},
		{"TooManyAreCut", "aa bb cc dd ee ff gg hh ii jj kk", "aa bb cc dd ee ff gg hh ii jj kk", strings.Fields("aa bb cc dd ee ff gg hh ii jj")},
		{"LongPhraseIsCut", strings.Repeat("ab ", 50), strings.TrimSpace(strings.Repeat("ab ", 34)[:100]), []string{"ab"}},
		{"Once", "tea Tea TEA", "tea tea tea", []string{"tea"}},
		{"Accents", "Müsli кофе Ёж", "musli кофе еж", []string{"musli", "кофе", "еж"}},
		{"NFD", "Cafe\u0301 Ole\u0301", "cafe ole", []string{"cafe", "ole"}},
		{"MarksThatAreLetters", "हिन्दी", "हिन्दी", []string{"हिन्दी"}},
		{"FullCaseFolding", "WEIẞbier", "weissbier", []string{"weissbier"}},
		{"Invisible", "Co\u00adlombia \u200b\u3164\u2060", "colombia", []string{"colombia"}},
		{"Compatibility", "ＡＢＣ eﬃ CO₂ Ⅳ", "abc effi co2 iv", []string{"abc", "effi", "co2", "iv"}},
		{"Pairs", "抹茶碗", "抹茶碗", []string{"抹茶", "茶碗"}},
		{"LoneCharacter", "茶 東京", "茶 東京", []string{"茶", "東京"}},
		{"Halfwidth", "ｶﾞｰﾅ", "ガーナ", []string{"ガー", "ーナ"}},
		{"ScriptsApart", "Tシャツ100円", "t シャツ 100 円", []string{"シャ", "ャツ", "100", "円"}},
		{"NotUTF8", "ab\xffcd", "ab cd", []string{"ab", "cd"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(catalog.Query{Phrase: tt.phrase, Words: tt.words}, catalog.NewQuery(tt.text)); diff != "" {
				t.Errorf("query (-want +got):\n%s", diff)
			}
		})
	}
}

func TestProductWords(t *testing.T) {
	t.Parallel()
	p := catalog.Product{SKU: "COF-1", Name: "抹茶碗 Cup", Tags: []string{"Tea", "cup"}}
	if diff := cmp.Diff([]string{"cof", "抹茶", "茶碗", "碗", "cup", "tea"}, p.Words()); diff != "" {
		t.Errorf("words (-want +got):\n%s", diff)
	}
	if sku, name := p.Phrases(); sku != "cof 1" || name != "抹茶碗 cup" {
		t.Errorf("phrases: %q and %q", sku, name)
	}
}

func TestProductWordsAreCapped(t *testing.T) {
	t.Parallel()
	var tags []string
	for i := range 50 {
		tags = append(tags, fmt.Sprintf("tag%d", i))
	}
	got := catalog.Product{SKU: "SKU-77", Name: "The Name", Tags: tags}.Words()
	if len(got) != catalog.MaxWords {
		t.Errorf("got %d words, want %d", len(got), catalog.MaxWords)
	}
	if diff := cmp.Diff([]string{"sku", "77", "the", "name", "tag0"}, got[:5]); diff != "" {
		t.Errorf("SKU and name come first (-want +got):\n%s", diff)
	}
}

// A folded text must be its own folding: a word that is stored would not be found by itself. Each character is
// folded as its upper, lower and title case are.
func TestFoldingOfEveryCharacter(t *testing.T) {
	t.Parallel()
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !unicode.In(r, unicode.L, unicode.N, unicode.M, unicode.S, unicode.Cf) || unicode.Is(unicode.Unified_Ideograph, r) {
			continue
		}
		phrase := catalog.NewQuery("x" + string(r) + "x").Phrase
		if again := catalog.NewQuery(phrase).Phrase; again != phrase {
			t.Errorf("%U: the folding of %q is %q", r, phrase, again)
		}
		for _, other := range []rune{unicode.ToUpper(r), unicode.ToLower(r), unicode.ToTitle(r)} {
			if other == r || r == '\u0345' { // a mark of Greek, removed as an accent, whose capital is a letter
				continue
			}
			if got := catalog.NewQuery("x" + string(other) + "x").Phrase; got != phrase {
				t.Errorf("%U is folded to %q, and %U to %q", r, phrase, other, got)
			}
		}
	}
}

func FuzzQuery(f *testing.F) {
	f.Add("Dark ROAST, 250 g COF-250")
	f.Add("ab\xff\u0301 İstanbul")
	f.Add("抹茶碗 ｶﾞ Tシャツ กาแฟ")
	f.Fuzz(func(t *testing.T, text string) {
		q := catalog.NewQuery(text)
		if n := utf8.RuneCountInString(q.Phrase); n > catalog.MaxPhrase || len(q.Words) > catalog.MaxQueryWords {
			t.Errorf("%d characters and %d words", n, len(q.Words))
		}
		seen := map[string]bool{}
		for _, word := range q.Words {
			first, size := utf8.DecodeRuneInString(word)
			if n := utf8.RuneCountInString(word); n > catalog.MaxWord || len(word) == size && !catalog.Unspaced(first) {
				t.Errorf("%q has %d characters", word, n)
			}
			if !utf8.ValidString(word) || strings.ContainsAny(word, " #") {
				t.Errorf("%q cannot be a part of a key", word)
			}
			if seen[word] {
				t.Errorf("%q comes twice", word)
			}
			seen[word] = true
		}
		if again := catalog.NewQuery(q.Phrase); again.Phrase != q.Phrase {
			t.Errorf("the phrase of %q is %q", q.Phrase, again.Phrase)
		}
		if got := q.Match(catalog.Product{SKU: "Z-1", Name: text}); q.Phrase != "" && got < catalog.MatchName {
			t.Errorf("%q does not find the product of this name", text)
		}
		for word := range strings.FieldsSeq(text) {
			word := catalog.NewQuery(word)
			got := word.Match(catalog.Product{SKU: "Z-1", Name: text})
			if len(word.Words) > 0 && len(q.Words) < catalog.MaxQueryWords && got == catalog.NoMatch {
				t.Errorf("%q does not find the product %q", word.Words, text)
			}
		}
	})
}
