package catalogddb

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/page"
)

const (
	// searchRounds is the maximum number of queries of one search. Then it returns what it has found and
	// a position: a page may be short, or even empty, although there is more.
	searchRounds = 5
	// minRows and filteredRows are how many rows a query reads. With one word, most rows match; with
	// several words, most do not.
	minRows      = 25
	filteredRows = 250
	// maxSortKey is the maximum length of a sort key in DynamoDB, in bytes.
	maxSortKey = 1024
)

// searchPosition is where the next page of a search starts.
type searchPosition struct {
	// After is the sort key of the last row that was handled.
	After string `json:"after"`
}

// Search implements catalog.Store. It reads the rows of the longest word, and DynamoDB drops those without the
// other words. Products are in the order of the words that find them. A search shows a change a moment later.
// Words shorter than catalog.MinWord find nothing.
func (s *Store) Search(ctx context.Context, words []string, limit int, after []byte) ([]catalog.Product, []byte, error) {
	prefix, others := splitWords(words)
	if utf8.RuneCountInString(prefix) < catalog.MinWord || len(others) >= catalog.MaxWords {
		return nil, nil, nil
	}
	start, err := parseSearchPosition(after, prefix)
	if err != nil {
		return nil, nil, err
	}

	q := wordQuery(prefix, others, limit)
	result := searchPage{table: s.table, limit: limit, last: start}
	for range searchRounds {
		if result.last != "" {
			q.Start = ddb.Position{ddb.AttrPK: wordPartition(prefix), ddb.AttrSK: result.last}
		}
		items, next, err := s.table.Query(ctx, q)
		if err != nil {
			return nil, nil, err
		}
		full, err := result.take(ctx, items, prefix)
		if err != nil {
			return nil, nil, err
		}
		if full {
			break
		}
		if next == nil {
			return result.products, nil, nil
		}
		result.last = next[ddb.AttrSK]
	}
	position, err := json.Marshal(searchPosition{After: result.last})
	return result.products, position, err
}

// splitWords returns the longest of the words and the others that the filter needs. A word with which a longer
// one begins is left out, because every product with the longer one has it.
func splitWords(words []string) (longest string, others []string) {
	words = slices.Clone(words)
	slices.SortStableFunc(words, func(a, b string) int {
		return utf8.RuneCountInString(b) - utf8.RuneCountInString(a)
	})
	var needed []string
	for _, word := range words {
		if !slices.ContainsFunc(needed, func(longer string) bool { return strings.HasPrefix(longer, word) }) {
			needed = append(needed, word)
		}
	}
	if len(needed) == 0 {
		return "", nil
	}
	return needed[0], needed[1:]
}

// wordQuery reads the rows whose word starts with prefix and whose text has the other words.
func wordQuery(prefix string, others []string, limit int) ddb.Query {
	q := ddb.Query{
		Where: expression.Key(ddb.AttrPK).Equal(expression.Value(wordPartition(prefix))).
			And(expression.Key(ddb.AttrSK).BeginsWith(prefix)),
		Limit: int32(max(limit+1, minRows)),
	}
	for _, word := range others {
		condition := expression.Name("text").Contains(" " + word)
		if q.Filter != nil {
			condition = q.Filter.And(condition)
		}
		q.Filter, q.Limit = &condition, filteredRows
	}
	return q
}

// searchPage collects the products of a page.
type searchPage struct {
	table *ddb.Table
	limit int

	products []catalog.Product
	// last is the sort key of the last row that was handled.
	last string
}

// take adds the active products of the items. It reports true if there is one more than the page holds.
func (p *searchPage) take(ctx context.Context, items []ddb.Item, prefix string) (full bool, err error) {
	rows, err := firstRows(items, prefix)
	if err != nil {
		return false, err
	}
	for len(rows) > 0 {
		n := min(len(rows), p.limit+1-len(p.products))
		if full, err := p.takeRows(ctx, rows[:n]); full || err != nil {
			return full, err
		}
		rows = rows[n:]
	}
	return false, nil
}

func (p *searchPage) takeRows(ctx context.Context, rows []row) (full bool, err error) {
	keys := make([]ddb.Key, len(rows))
	for i, r := range rows {
		keys[i] = productKey(r.productID)
	}
	items, err := p.table.BatchGet(ctx, keys, false)
	if err != nil {
		return false, err
	}
	for i, r := range rows {
		var record productRecord
		if err := ddb.Decode(items[keys[i]], &record); err != nil {
			return false, err
		}
		if record.Status != catalog.Active { // or missing: the product changed between the two reads
			continue
		}
		if len(p.products) == p.limit {
			return true, nil
		}
		p.products = append(p.products, record.product())
		p.last = r.sortKey
	}
	return false, nil
}

// row is a product in the order of the search.
type row struct {
	sortKey   string
	productID string
}

// firstRows returns one row for each product: that of the alphabetically first of its words that start with
// prefix, whatever page it is on.
func firstRows(items []ddb.Item, prefix string) ([]row, error) {
	var rows []row
	for _, item := range items {
		var record wordRecord
		if err := ddb.Decode(item, &record); err != nil {
			return nil, err
		}
		word, id, _ := strings.Cut(record.SK, "#")
		if word == firstWord(record.Text, prefix) {
			rows = append(rows, row{sortKey: record.SK, productID: id})
		}
	}
	return rows, nil
}

func firstWord(text, prefix string) string {
	first := ""
	for word := range strings.FieldsSeq(text) {
		if strings.HasPrefix(word, prefix) && (first == "" || word < first) {
			first = word
		}
	}
	return first
}

// parseSearchPosition returns the sort key of a position, empty for the first page.
func parseSearchPosition(position []byte, prefix string) (string, error) {
	if len(position) == 0 {
		return "", nil
	}
	var p searchPosition
	if err := json.Unmarshal(position, &p); err != nil {
		return "", page.ErrInvalidCursor
	}
	_, id, _ := strings.Cut(p.After, "#")
	if !strings.HasPrefix(p.After, prefix) || id == "" || len(p.After) > maxSortKey {
		return "", page.ErrInvalidCursor
	}
	return p.After, nil
}
