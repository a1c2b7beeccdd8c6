package catalog

import (
	"strings"
	"unicode"
)

const (
	// MinWord is the shortest word that products are found by, in characters (Unicode code points).
	MinWord = 2
	// MaxWord is how much of a longer word counts, in the product and in the query, so that they
	// still meet.
	MaxWord = 32
	// MaxWords is how many different words of a product can be searched for: the first ones of its
	// SKU, its name and its tags, in this order.
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

// Words returns the words that the product is found by, MaxWords at most.
func (p Product) Words() []string {
	words := Words(append([]string{p.SKU, p.Name}, p.Tags...)...)
	return words[:min(len(words), MaxWords)]
}
