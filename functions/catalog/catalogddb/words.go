package catalogddb

import (
	"slices"
	"strings"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/shared/ddb"
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
	return ddb.Key{PK: wordPartition(word), SK: word + "#" + productID}
}

// wordPartition has the words that begin with the same two runes. Words are not shorter.
func wordPartition(word string) string {
	runes := []rune(word)
	return "TOK#" + string(runes[:min(len(runes), catalog.MinWord)])
}

// wordWrites replaces the words of before by those of after. Only active products have words. It returns at
// most 2*catalog.MaxWords writes.
func (s *Store) wordWrites(before, after catalog.Product) []ddb.Write {
	oldWords, newWords := searchable(before), searchable(after)
	text := wordText(newWords)
	if text == wordText(oldWords) {
		return nil
	}
	var writes []ddb.Write
	for _, word := range oldWords {
		if !slices.Contains(newWords, word) {
			writes = append(writes, s.table.Delete(wordKey(word, before.ID)))
		}
	}
	for _, word := range newWords {
		key := wordKey(word, after.ID)
		writes = append(writes, s.table.Put(wordRecord{PK: key.PK, SK: key.SK, Text: text}))
	}
	return writes
}

func searchable(p catalog.Product) []string {
	if p.Status != catalog.Active {
		return nil
	}
	return p.Words()
}

func wordText(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return " " + strings.Join(words, " ")
}
