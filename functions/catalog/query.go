package catalog

import (
	"slices"
	"strings"
)

// MaxQueryWords is the number of words to which a longer query is cut.
const MaxQueryWords = 10

// Query is what a search looks for. NewQuery makes one.
type Query struct {
	// Phrase is the whole text. Products whose SKU or name is the same phrase are found first, whatever their
	// words are.
	Phrase string
	// Words find each product that has, for every one of them, a word that starts with it. They are as
	// Product.Words returns them. Without words nothing but the phrase is found.
	Words []string
}

// NewQuery returns the query of a text that a person typed. A text that has no letter and no number makes the zero
// Query, which finds nothing.
func NewQuery(text string) Query {
	return Query{Phrase: phrase(text), Words: words(MaxQueryWords, false, text)}
}

// Match is why a query finds a product. A search returns greater ones first.
type Match int

// The matches.
const (
	// NoMatch: the query does not find the product.
	NoMatch Match = iota
	// MatchWords: the product has the query's words.
	MatchWords
	// MatchName: the phrase is the product's whole name.
	MatchName
	// MatchSKU: the phrase is the product's SKU.
	MatchSKU
)

// Match returns why the query finds the product, active or not.
func (q Query) Match(p Product) Match {
	sku, name := p.Phrases()
	switch {
	case q.Phrase != "" && q.Phrase == sku:
		return MatchSKU
	case q.Phrase != "" && q.Phrase == name:
		return MatchName
	case len(q.Words) == 0:
		return NoMatch
	}
	words := p.Words()
	for _, prefix := range q.Words {
		if !slices.ContainsFunc(words, func(word string) bool { return strings.HasPrefix(word, prefix) }) {
			return NoMatch
		}
	}
	return MatchWords
}
