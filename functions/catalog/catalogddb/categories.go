package catalogddb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/page"
)

const categoriesPK = "CATEGORIES"

// errSummed: another call has summed the category.
var errSummed = errors.New("catalogddb: the category has been summed")

// maxSummed is the maximum number of changes that one call adds to the sum of a category. Their names have 35 KB.
const maxSummed = 1000

// categoryRecord is the sum of a category's active products, or one change that is not in the sum. The products of
// a category are its sum and its changes. Every change is an item of its own, so that products of one category can
// change at the same time.
type categoryRecord struct {
	PK string `dynamodbav:"PK"`
	// SK is the category, and for a change <category>#<product id>#<version>. A sum comes before its changes, and
	// both before the next category: no slug has a character as low as '#'.
	SK string `dynamodbav:"SK"`

	// Sum is kept when it is 0.
	Sum int64 `dynamodbav:"active_products,omitempty"`
	// Summed names the changes that are in the sum and still have items, in their order.
	Summed []string `dynamodbav:"summed,omitempty"`
	// Sums is how often changes have been summed.
	Sums int64 `dynamodbav:"sums,omitempty"`

	// Change is 1 or -1, and 0 for a sum.
	Change int64 `dynamodbav:"change,omitempty"`
}

// name returns the category, and what names the change in it; "" for a sum.
func (r categoryRecord) name() (category, change string) {
	category, change, _ = strings.Cut(r.SK, "#")
	return category, change
}

// category is a sum and the changes that are not in it.
type category struct {
	name    string
	sum     categoryRecord
	changes []categoryRecord
}

func (c category) products() int64 {
	n := c.sum.Sum
	for _, change := range c.changes {
		n += change.Change
	}
	return n
}

// categoryPosition is where the next page of the categories starts.
type categoryPosition struct {
	// After is the last category that was returned.
	After string `json:"after"`
}

// Categories implements catalog.Store. It shows a change a moment later.
func (s *Store) Categories(ctx context.Context, limit int, after []byte) ([]catalog.Category, []byte, error) {
	var at categoryPosition
	if len(after) > 0 {
		if err := json.Unmarshal(after, &at); err != nil || at.After == "" {
			return nil, nil, page.ErrInvalidCursor
		}
	}
	// One more category shows whether there is a next page, and one item behind it that all of it is read.
	all, err := s.categories(ctx, categoriesFrom(at.After, limit+2), func(all []category) bool { return len(active(all)) > limit })
	if err != nil {
		return nil, nil, err
	}
	list := active(all)
	if len(list) <= limit {
		return list, nil, nil
	}
	list = list[:limit]
	next, err := json.Marshal(categoryPosition{After: list[limit-1].Name})
	return list, next, err
}

// active returns the categories that have active products.
func active(all []category) []catalog.Category {
	list := []catalog.Category{}
	for _, c := range all {
		if n := c.products(); n > 0 {
			list = append(list, catalog.Category{Name: c.name, ActiveProducts: n})
		}
	}
	return list
}

// categoriesFrom reads the categories after one, "" for all.
func categoriesFrom(after string, atOnce int) ddb.Query {
	where := expression.Key(ddb.AttrPK).Equal(expression.Value(categoriesPK))
	if after != "" {
		where = where.And(expression.Key(ddb.AttrSK).GreaterThan(expression.Value(after + "$"))) // '$' follows the '#' of changes
	}
	return ddb.Query{Where: where, Limit: int32(atOnce)}
}

// SumCategories moves changes of the categories into their sums, so that Categories has less to read, and returns how
// many. Categories returns the same before, meanwhile and afterwards. Calls at the same time do not sum a change twice.
func (s *Store) SumCategories(ctx context.Context) (int, error) {
	q := categoriesFrom("", 0)
	q.Consistent = true
	all, err := s.categories(ctx, q, func([]category) bool { return false })
	if err != nil {
		return 0, err
	}
	summed := 0
	for _, c := range all {
		n, err := s.sum(ctx, c)
		summed += n
		if err != nil {
			return summed, fmt.Errorf("sum category %s: %w", c.name, err)
		}
	}
	return summed, nil
}

// sum removes the items of the changes that are in the category's sum and adds others to it, whose items the next
// call removes: a reader that has the old sum needs them. It returns how many it has added.
func (s *Store) sum(ctx context.Context, c category) (int, error) {
	changes := c.changes[:min(len(c.changes), maxSummed)]
	if len(changes)+len(c.sum.Summed) == 0 {
		return 0, nil
	}
	for some := range slices.Chunk(c.sum.Summed, ddb.MaxWrites) {
		writes := make([]ddb.Write, len(some))
		for i, change := range some {
			writes[i] = s.table.Delete(ddb.Key{PK: categoriesPK, SK: c.name + "#" + change})
		}
		if err := s.commit(ctx, writes...); err != nil {
			return 0, err
		}
	}
	names := make([]string, len(changes))
	for i, r := range changes {
		_, names[i] = r.name()
	}
	update := expression.Add(expression.Name("active_products"), expression.Value(category{changes: changes}.products())).
		Set(expression.Name("summed"), expression.Value(names)).
		Set(expression.Name("sums"), expression.Value(c.sum.Sums+1))
	unchanged := expression.Name("sums").Equal(expression.Value(c.sum.Sums))
	if c.sum.Sums == 0 {
		unchanged = expression.AttributeNotExists(expression.Name("sums"))
	}
	switch err := s.commit(ctx, s.table.Update(ddb.Key{PK: categoriesPK, SK: c.name}, update).If(unchanged, errSummed)); {
	case errors.Is(err, errSummed):
		return 0, nil
	case err != nil:
		return 0, err
	}
	return len(changes), nil
}

// categories reads sums and changes, by the category's name, until there are enough categories of which all is read.
// Each read is twice as long as the one before, because a category may have many changes after an import.
func (s *Store) categories(ctx context.Context, q ddb.Query, enough func([]category) bool) ([]category, error) {
	var all []category
	for {
		items, next, err := s.table.Query(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, item := range items {
			var record categoryRecord
			if err := ddb.Decode(item, &record); err != nil {
				return nil, err
			}
			all = add(all, record)
		}
		if next == nil {
			return all, nil
		}
		if whole := all[:max(len(all), 1)-1]; enough(whole) { // the last one may go on
			return whole, nil
		}
		q.Start, q.Limit = next, 2*q.Limit
	}
}

// add adds a record to the last category, or begins one with it.
func add(all []category, record categoryRecord) []category {
	name, change := record.name()
	if len(all) == 0 || all[len(all)-1].name != name {
		all = append(all, category{name: name})
	}
	c := &all[len(all)-1]
	if change == "" {
		c.sum = record
	} else if _, summed := slices.BinarySearch(c.sum.Summed, change); !summed {
		c.changes = append(c.changes, record)
	}
	return all
}

// countWrites moves a changed product from one category to another. Only active products are counted; a product that
// does not exist has no status.
func (s *Store) countWrites(before, after catalog.Product) []ddb.Write {
	from, to := countedIn(before), countedIn(after)
	if from == to {
		return nil
	}
	var writes []ddb.Write
	if from != "" {
		writes = append(writes, s.table.Put(newChange(from, after, -1)))
	}
	if to != "" {
		writes = append(writes, s.table.Put(newChange(to, after, 1)))
	}
	return writes
}

func countedIn(p catalog.Product) string {
	if p.Status != catalog.Active {
		return ""
	}
	return p.Category
}

// newChange returns a category's change by a product that has just become the version p.
func newChange(category string, p catalog.Product, n int64) categoryRecord {
	return categoryRecord{PK: categoriesPK, SK: fmt.Sprintf("%s#%s#%d", category, p.ID, p.Version), Change: n}
}
