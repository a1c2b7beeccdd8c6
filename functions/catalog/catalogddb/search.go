package catalogddb

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"golang.org/x/sync/errgroup"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/page"
)

const (
	// searchRounds is the maximum number of queries of one search that has found something. It may then return
	// a short page.
	searchRounds = 5
	// minRows and filteredRows are how many rows the first query reads. With one word, most rows match; with
	// several words, some do not. Each further query reads moreRows times as many, at most 1 MB.
	minRows      = 25
	filteredRows = 250
	moreRows     = 4
	maxRows      = 100_000
	// countedRows is how many rows of each word are counted first, and maxCounted at most.
	countedRows = 100
	maxCounted  = countedRows * moreRows
	// countReaders is how many words are counted in parallel: each may open a connection.
	countReaders = 3
	// maxSortKey is the maximum length of a sort key in DynamoDB, in bytes.
	maxSortKey = 1024
)

// searchPosition is where the next page of a search starts.
type searchPosition struct {
	// Word is the word whose rows are read, and empty while those of the phrase are.
	Word string `json:"word"`
	// After is the sort key of the last row that was handled, and empty at the first one.
	After string `json:"after"`
}

// Search implements catalog.Store. It reads the rows of the phrase, then those of the rarest word, and DynamoDB
// drops those without the other words. Products of one word are in the order of the words that find them. A search
// shows a change a moment later.
//
// A page costs a query of rows and a read of its products; the first one also a query for the phrase and, for
// several words, a count of the rows of each, in parallel. If every word is common and hardly any product has all,
// a page reads all rows of one of them, at 1 MB a query.
func (s *Store) Search(ctx context.Context, q catalog.Query, limit int, after []byte) ([]catalog.Product, []byte, error) {
	words := needed(q.Words)
	if len(words) > catalog.MaxWords {
		return nil, nil, nil
	}
	at, err := parseSearchPosition(after, q)
	if err != nil {
		return nil, nil, err
	}
	result := searchPage{table: s.table, query: q, limit: limit, at: at}
	if at.Word == "" {
		word, full := "", false
		group, ctx := errgroup.WithContext(ctx)
		group.Go(func() (err error) {
			word, err = s.rarest(ctx, words)
			return err
		})
		group.Go(func() (err error) {
			full, err = result.read(ctx, phraseQuery(q.Phrase, limit))
			return err
		})
		if err := group.Wait(); err != nil {
			return nil, nil, err
		}
		if full {
			return result.page()
		}
		result.at = searchPosition{Word: word}
	}
	if result.at.Word == "" {
		return result.products, nil, nil
	}
	more, err := result.read(ctx, wordQuery(result.at.Word, words, limit))
	if err != nil {
		return nil, nil, err
	}
	if !more {
		return result.products, nil, nil
	}
	return result.page()
}

// needed returns the words without those with which another begins, because every product with the longer one has
// them. The longest is the first.
func needed(words []string) []string {
	words = slices.Clone(words)
	slices.SortStableFunc(words, func(a, b string) int {
		return utf8.RuneCountInString(b) - utf8.RuneCountInString(a)
	})
	var list []string
	for _, word := range words {
		if !slices.ContainsFunc(list, func(longer string) bool { return strings.HasPrefix(longer, word) }) {
			list = append(list, word)
		}
	}
	return list
}

// rarest returns the word that begins the fewest rows, the longest of those that begin as many, and "" without
// words. Above maxCounted it does not look further.
func (s *Store) rarest(ctx context.Context, words []string) (string, error) {
	if len(words) == 0 {
		return "", nil
	}
	if len(words) == 1 {
		return words[0], nil
	}
	for limit := int32(countedRows); ; limit *= moreRows {
		counts, err := s.countEach(ctx, words, limit)
		if err != nil {
			return "", err
		}
		if fewest := slices.Min(counts); fewest < limit || limit >= maxCounted {
			return words[slices.Index(counts, fewest)], nil
		}
	}
}

// countEach returns how many rows begin with each word, at most limit.
func (s *Store) countEach(ctx context.Context, words []string, limit int32) ([]int32, error) {
	counts := make([]int32, len(words))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(countReaders)
	for i, word := range words {
		group.Go(func() (err error) {
			counts[i], err = s.table.Count(ctx, ddb.Query{Where: rowsOf(word), Limit: limit})
			return err
		})
	}
	return counts, group.Wait()
}

// rowsOf selects the rows of the words that start with prefix.
func rowsOf(prefix string) expression.KeyConditionBuilder {
	return expression.Key(ddb.AttrPK).Equal(expression.Value(wordPrefix + start(prefix))).And(expression.Key(ddb.AttrSK).BeginsWith(prefix))
}

// phraseQuery reads the rows of the products whose SKU or name is the phrase.
func phraseQuery(phrase string, limit int) ddb.Query {
	return ddb.Query{
		Where: expression.Key(ddb.AttrPK).Equal(expression.Value(phrasePrefix + phrase)),
		Limit: int32(limit + 1),
	}
}

// wordQuery reads the rows whose word starts with prefix and whose text has the other words.
func wordQuery(prefix string, words []string, limit int) ddb.Query {
	q := ddb.Query{Where: rowsOf(prefix), Limit: int32(max(limit+1, minRows))}
	for _, word := range words {
		if word == prefix {
			continue
		}
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
	query catalog.Query
	limit int

	products []catalog.Product
	// at is the last row that was handled.
	at searchPosition
}

func (p *searchPage) page() ([]catalog.Product, []byte, error) {
	next, err := json.Marshal(p.at)
	return p.products, next, err
}

// partition returns the partition that is read at the position.
func (p *searchPage) partition() string {
	if p.at.Word == "" {
		return phrasePrefix + p.query.Phrase
	}
	return wordPrefix + start(p.at.Word)
}

// read adds the products of the rows that q reads after the position. It reports true if there may be more: one
// more than the page holds, or the page has something and it takes too many queries to find more.
func (p *searchPage) read(ctx context.Context, q ddb.Query) (more bool, err error) {
	for round := 1; ; round++ {
		if p.at.After != "" {
			q.Start = ddb.Position{ddb.AttrPK: p.partition(), ddb.AttrSK: p.at.After}
		}
		items, next, err := p.table.Query(ctx, q)
		if err != nil {
			return false, err
		}
		full, err := p.take(ctx, items)
		if err != nil || full || next == nil {
			return full, err
		}
		p.at.After = next[ddb.AttrSK]
		if round >= searchRounds && len(p.products) > 0 {
			return true, nil
		}
		q.Limit = min(q.Limit*moreRows, maxRows)
	}
}

// take adds the products of the items. It reports true if there is one more than the page holds.
func (p *searchPage) take(ctx context.Context, items []ddb.Item) (full bool, err error) {
	rows, err := firstRows(items, p.at.Word)
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
		product := record.product()
		// A row may be older than its product. The rows of the phrase have found exact ones already.
		match := p.query.Match(product)
		if match == catalog.NoMatch || (match == catalog.MatchWords) != (p.at.Word != "") {
			continue
		}
		if len(p.products) == p.limit {
			return true, nil
		}
		p.products = append(p.products, product)
		p.at.After = r.sortKey
	}
	return false, nil
}

// row is a product in the order of the search.
type row struct {
	sortKey   string
	productID string
}

// firstRows returns one row for each product: that of the alphabetically first of its words that start with
// prefix, whatever page it is on. Without a prefix the items are those of a phrase, one for each product.
func firstRows(items []ddb.Item, prefix string) ([]row, error) {
	var rows []row
	for _, item := range items {
		var record wordRecord
		if err := ddb.Decode(item, &record); err != nil {
			return nil, err
		}
		word, id, _ := strings.Cut(record.SK, "#")
		if prefix == "" || word == firstWord(record.Text, prefix) {
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

// parseSearchPosition returns a position of the query, the zero one for the first page.
func parseSearchPosition(position []byte, q catalog.Query) (searchPosition, error) {
	var p searchPosition
	if len(position) == 0 {
		return p, nil
	}
	if err := json.Unmarshal(position, &p); err != nil || len(p.After) > maxSortKey {
		return searchPosition{}, page.ErrInvalidCursor
	}
	_, id, _ := strings.Cut(p.After, "#")
	ofPhrase := p.Word == "" && p.After != ""
	ofWord := slices.Contains(q.Words, p.Word) && (p.After == "" || strings.HasPrefix(p.After, p.Word) && id != "")
	if !ofPhrase && !ofWord {
		return searchPosition{}, page.ErrInvalidCursor
	}
	return p, nil
}
