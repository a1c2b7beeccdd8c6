package catalogddb

import (
	"slices"
	"strings"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/shared/ddb"
)

// wordsVersion is the version of the rows that find products. It grows, together with the prefixes of their
// partitions, when catalog.Product has other words or phrases for the same text: then Reindex writes new rows.
const wordsVersion = 1

const (
	wordPrefix   = "WORD#"
	phrasePrefix = "PHRASE#"
)

// wordRecord finds a product by one of its words. Every record of a product has all its words, so that one
// query can look for several.
type wordRecord struct {
	PK string `dynamodbav:"PK"`
	SK string `dynamodbav:"SK"`
	// Text has all words of the product, each after a space.
	Text string `dynamodbav:"text"`
}

func wordKey(word, productID string) ddb.Key {
	return ddb.Key{PK: wordPrefix + start(word), SK: word + "#" + productID}
}

// start returns what the words of one partition begin with: two characters, or one where that may be a word.
func start(word string) string {
	runes := []rune(word)
	n := catalog.MinWord
	if len(runes) > 0 && catalog.Unspaced(runes[0]) {
		n = 1
	}
	return string(runes[:min(len(runes), n)])
}

// The beginnings of the sort keys of phrases: SKUs come first.
const (
	skuPhrase  = "1#"
	namePhrase = "2#"
)

// phraseKeys returns the keys of the rows that find a product by its whole SKU and name: none, one or two.
func phraseKeys(p catalog.Product) []ddb.Key {
	var keys []ddb.Key
	sku, name := p.Phrases()
	if sku != "" {
		keys = append(keys, ddb.Key{PK: phrasePrefix + sku, SK: skuPhrase + p.ID})
	}
	if name != "" && name != sku {
		keys = append(keys, ddb.Key{PK: phrasePrefix + name, SK: namePhrase + p.ID})
	}
	return keys
}

// index is what finds a product: nothing if it is not active.
type index struct {
	words   []string
	phrases []ddb.Key
}

func indexOf(p catalog.Product) index {
	if p.Status != catalog.Active {
		return index{}
	}
	return index{words: p.Words(), phrases: phraseKeys(p)}
}

// text is wordRecord.Text.
func (x index) text() string {
	if len(x.words) == 0 {
		return ""
	}
	return " " + strings.Join(x.words, " ")
}

// indexWrites replaces the rows that find before by those that find after. A word that is added or removed is a
// write, one that stays is one or none.
func (s *Store) indexWrites(before, after catalog.Product) []ddb.Write {
	var writes []ddb.Write
	was, is := indexOf(before), indexOf(after)
	for _, phrase := range missing(was.phrases, is.phrases) {
		writes = append(writes, s.table.Delete(phrase))
	}
	for _, phrase := range missing(is.phrases, was.phrases) {
		writes = append(writes, s.table.Put(phrase))
	}
	text := is.text()
	if text == was.text() {
		return writes
	}
	for _, word := range is.words {
		key := wordKey(word, after.ID)
		writes = append(writes, s.table.Put(wordRecord{PK: key.PK, SK: key.SK, Text: text}))
	}
	for _, word := range missing(was.words, is.words) {
		writes = append(writes, s.table.Delete(wordKey(word, before.ID)))
	}
	return writes
}

// missing returns the members of list that others has not.
func missing[T comparable](list, others []T) []T {
	var left []T
	for _, member := range list {
		if !slices.Contains(others, member) {
			left = append(left, member)
		}
	}
	return left
}
