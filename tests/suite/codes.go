package suite

import (
	"net/http"
	"sync"
	"testing"
)

// testCodes tests orders with discount codes that end, are deleted or are used up.
func (c *Caller) testCodes(t *testing.T) {
	usedUp := func(pointer string) refusal { return refused(http.StatusUnprocessableEntity, "code_used_up", pointer) }
	t.Run("QuoteKeepsItsCode", func(t *testing.T) {
		t.Parallel()
		cup, buyer := c.onSale(t, 5), c.Buyer(t)
		for name, end := range map[string]Request{
			"Ended":   {Method: http.MethodPatch, Body: Document{"ends_at": "2020-01-01T00:00:00Z"}.String()},
			"Deleted": {Method: http.MethodDelete},
		} {
			code := c.discount(t, Document{"percent": "10", "max_uses": 2, "max_uses_per_customer": 1})
			basket := Wanting(1, cup).With(Document{"discount_codes": []string{code}})
			q, again := c.Quote(t, buyer, basket), c.Quote(t, buyer, basket)
			end.Path, end.Token = "/v1/discounts/"+code, c.As(t, roleCatalog)
			end.Header = map[string]string{headerIfMatch: `"1"`}
			if a := c.Do(t, end); a.Status >= http.StatusBadRequest {
				t.Fatalf("%s: %d %s", name, a.Status, a.Body)
			}
			cup = c.patch(t, cup, Document{"description": name}) // so that the products are read again
			if o := c.Order(t, buyer, Document{"quote_id": q.ID}); o.Total != q.Total || o.Discount != q.Discount {
				t.Errorf("%s: total %v, discount %v; want the quote's %v, %v", name, o.Total, o.Discount, q.Total, q.Discount)
			}
			c.Do(t, Ordering(buyer, Document{"quote_id": again.ID})).wantProblem(t, usedUp("/quote_id"))
			c.Do(t, Ordering(buyer, basket)).wantProblem(t, refused(http.StatusUnprocessableEntity, "code_invalid", "/discount_codes/0"))
		}
	})
	t.Run("LastUse", func(t *testing.T) {
		t.Parallel()
		const buyers = 6
		cup, code := c.onSale(t, buyers), c.discount(t, Document{"percent": "10", "max_uses": 1})
		other := c.discount(t, Document{"percent": "5"})
		orders := make([]Request, buyers)
		for i := range orders {
			orders[i] = Ordering(c.Buyer(t), Wanting(1, cup).With(Document{"discount_codes": []string{other, code}}))
		}
		answers := make([]Answer, buyers)
		var all sync.WaitGroup
		for i, r := range orders {
			all.Go(func() { answers[i] = c.Do(t, r) })
		}
		all.Wait()
		made := 0
		for _, a := range answers {
			if a.Status == http.StatusCreated {
				made++
				continue
			}
			a.wantProblem(t, usedUp("/discount_codes/1"))
		}
		if made != 1 {
			t.Errorf("%d orders use a code that may be used once", made)
		}
		c.wantStock(t, cup, buyers-1, 1, 0)
	})
}
