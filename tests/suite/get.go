package suite

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// nobodysID is a ULID that no product or user has.
const nobodysID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"

func (c *Caller) testGet(t *testing.T) {
	reading := func(p Product, token string) Request {
		return Request{Method: http.MethodGet, Path: p.path(), Token: token}
	}

	t.Run("ActiveForEverybody", func(t *testing.T) {
		t.Parallel()
		p := c.Create(t, NewProduct())
		for name, token := range map[string]string{"anonymous": "", "customer": c.As(t), "staff": c.As(t, roleCatalog)} {
			a := c.Do(t, reading(p, token)).want(t, http.StatusOK)
			var got Product
			a.decode(t, &got)
			if diff := cmp.Diff(p, got); diff != "" {
				t.Errorf("%s reads another product (-created +read):\n%s", name, diff)
			}
			a.wantHeader(t, headerETag, `"1"`)
			a.wantHeader(t, headerCacheControl, publicCache)
		}
	})
	t.Run("DraftIsNotFound", func(t *testing.T) {
		t.Parallel()
		p := c.Create(t, NewProduct().With(Document{"status": "draft"}))
		for _, token := range []string{"", c.As(t, roleCustomer), c.As(t, roleCatalog)} {
			c.Do(t, reading(p, token)).wantProblem(t, notFound())
		}
	})
	t.Run("StaffReadsEveryStatus", func(t *testing.T) {
		t.Parallel()
		c.testStaffGet(t)
	})
	t.Run("ArchivedIsGone", func(t *testing.T) {
		t.Parallel()
		p := c.Create(t, NewProduct())
		c.archive(t, p)
		for _, token := range []string{"", c.As(t, roleCustomer), c.As(t, roleCatalog)} {
			c.Do(t, reading(p, token)).wantProblem(t, gone())
		}
		r := reading(p, "")
		r.Header = map[string]string{headerIfNoneMatch: "*"}
		c.Do(t, r).wantProblem(t, gone())
	})

	for name, id := range map[string]string{
		"UnknownID": nobodysID, "NotAnID": "coffee", "IDOfZeros": "00000000000000000000000000",
		"IDBeyondULIDs": "8ZZZZZZZZZZZZZZZZZZZZZZZZZ", "VeryLongID": repeat("0", 2000), "WordNull": "null", "Braces": "%7Bid%7D",
	} {
		t.Run(name+"IsNotFound", func(t *testing.T) {
			t.Parallel()
			c.Do(t, Request{Method: http.MethodGet, Path: "/v1/products/" + id}).wantProblem(t, notFound())
		})
	}

	p := c.Create(t, NewProduct())
	for name, tags := range map[string]string{
		"SameTag": `"1"`, "WeakTag": `W/"1"`, "AnyTag": "*", "OneOfMany": `"7", W/"1" , "9"`, "OneBehindACommaInQuotes": `"a,b", "1"`,
	} {
		t.Run("NotModifiedFor"+name, func(t *testing.T) {
			t.Parallel()
			r := reading(p, "")
			r.Header = map[string]string{headerIfNoneMatch: tags}
			a := c.Do(t, r).want(t, http.StatusNotModified)
			a.wantHeader(t, headerETag, `"1"`)
			a.wantHeader(t, headerCacheControl, publicCache)
		})
	}
	for name, tags := range map[string]string{
		"OtherTag": `"2"`, "TagWithoutQuotes": `1`, "LongerTag": `"10"`, "Nonsense": `,,"`, "AnyInATag": `"a,*,b"`, "PartOfATag": `"0,1"`,
	} {
		t.Run("ModifiedFor"+name, func(t *testing.T) {
			t.Parallel()
			r := reading(p, "")
			r.Header = map[string]string{headerIfNoneMatch: tags}
			c.Do(t, r).want(t, http.StatusOK)
		})
	}
	t.Run("ModifiedAfterChange", func(t *testing.T) {
		t.Parallel()
		p := c.Create(t, NewProduct())
		next := c.patch(t, p, Document{"name": "Other"})
		r := reading(p, "")
		r.Header = map[string]string{headerIfNoneMatch: p.etag()}
		a := c.Do(t, r).want(t, http.StatusOK)
		a.wantHeader(t, headerETag, next.etag())
	})
}

func (c *Caller) testStaffGet(t *testing.T) {
	products := map[string]Product{
		"active": c.Create(t, NewProduct()), "draft": c.Create(t, NewProduct().With(Document{"status": "draft"})),
		"archived": c.Create(t, NewProduct()),
	}
	c.archive(t, products["archived"])
	for status, p := range products {
		for _, role := range []string{roleCatalog, roleFulfilment, roleSupport, roleAdmin} {
			r := Request{Method: http.MethodGet, Path: p.staffPath(), Token: c.As(t, role)}
			a := c.Do(t, r).want(t, http.StatusOK)
			var got Product
			a.decode(t, &got)
			if got.ID != p.ID || got.Status != status {
				t.Errorf("%s as %s: got %+v", status, role, got)
			}
			a.wantHeader(t, headerETag, got.etag())
			a.wantHeader(t, headerCacheControl, "private, no-cache")
			r.Header = map[string]string{headerIfNoneMatch: got.etag()}
			c.Do(t, r).want(t, http.StatusNotModified)
		}
	}
	for _, id := range []string{nobodysID, "coffee"} {
		c.Do(t, Request{Method: http.MethodGet, Path: Product{ID: id}.staffPath(), Token: c.As(t, roleCatalog)}).wantProblem(t, notFound())
	}
}
