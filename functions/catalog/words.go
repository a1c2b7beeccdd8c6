package catalog

import (
	"strings"
	"unicode"
)

const (
	// MinWord is the minimum length of a word that finds products, in characters (Unicode code points).
	MinWord = 2
	// MaxWord is the length to which longer words are cut, in products and in queries.
	MaxWord = 32
	// MaxWords is the maximum number of different words that find a product: the first ones of its SKU,
	// name and tags, in this order.
	MaxWords = 30
)

// Words returns the different words of the texts in the order of their first appearance, in lower
// case. A word is a run of letters, digits and their marks.
func Words(texts ...string) []string {
	var words []string
	seen := map[string]bool{}
	for _, text := range texts {
		for word := range strings.FieldsFuncSeq(strings.ToLower(text), isSeparator) {
			runes := []rune(word)
			if len(runes) < MinWord {
				continue
			}
			if len(runes) > MaxWord {
				word = string(runes[:MaxWord])
			}
			if !seen[word] {
				seen[word] = true
				words = append(words, word)
			}
		}
	}
	return words
}

func isSeparator(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
}

// Words returns the words that find the product, at most MaxWords.
func (p Product) Words() []string {
	words := Words(append([]string{p.SKU, p.Name}, p.Tags...)...)
	return words[:min(len(words), MaxWords)]
}
