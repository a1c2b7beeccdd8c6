package catalog_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/catalog"
)

func TestWords(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		texts []string
		want  []string
	}{
		{"Nothing", nil, nil},
		{"OnlySeparators", []string{" -.,# "}, nil},
		{"LowerCase", []string{"Dark ROAST"}, []string{"dark", "roast"}},
		{"SplitsOnEverythingElse", []string{"COF-250_a1/b.c2#d3"}, []string{"cof", "250", "a1", "c2", "d3"}},
		{"TooShortIsLeftOut", []string{"a bc é"}, []string{"bc"}},
		{"TooLongIsCut", []string{strings.Repeat("é", 40)}, []string{strings.Repeat("é", 32)}},
		{"Once", []string{"tea Tea", "TEA"}, []string{"tea"}},
		{"Unicode", []string{"Müsli 東京 кофе"}, []string{"müsli", "東京", "кофе"}},
		{"MarksBelongToTheirLetter", []string{"cafe\u0301 हिन्दी"}, []string{"cafe\u0301", "हिन्दी"}},
		{"NotUTF8", []string{"ab\xffcd"}, []string{"ab", "cd"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, catalog.Words(tt.texts...)); diff != "" {
				t.Errorf("words (-want +got):\n%s", diff)
			}
		})
	}
}

func TestProductWordsAreCapped(t *testing.T) {
	t.Parallel()
	var tags []string
	for i := range 40 {
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

func FuzzWords(f *testing.F) {
	f.Add("Dark ROAST, 250 g", "COF-250")
	f.Add("ab\xff\u0301", "İstanbul")
	f.Fuzz(func(t *testing.T, a, b string) {
		words := catalog.Words(a, b)
		seen := map[string]bool{}
		for _, word := range words {
			if n := utf8.RuneCountInString(word); n < catalog.MinWord || n > catalog.MaxWord {
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
		if again := catalog.Words(strings.Join(words, " ")); !slices.Equal(words, again) {
			t.Errorf("words of %q are %q", words, again)
		}
	})
}
