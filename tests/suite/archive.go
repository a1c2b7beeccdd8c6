package suite

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func (c *Caller) testArchive(t *testing.T) {
	archiving := func(t *testing.T, p Product, tags string) Request {
		t.Helper()
		r := Request{Method: http.MethodDelete, Path: p.path(), Token: c.As(t, roleCatalog), Header: map[string]string{}}
		if tags != "" {
			r.Header[headerIfMatch] = tags
		}
		return r
	}

	t.Run("EndsTheProduct", func(t *testing.T) {
		t.Parallel()
		p := c.Create(t, NewProduct())
		c.archive(t, p)
		c.Do(t, Request{Method: http.MethodGet, Path: p.path()}).wantProblem(t, gone())
		if ids := c.List(t, "category", p.Category).ids(); len(ids) > 0 {
			t.Errorf("everybody still sees %v", ids)
		}
		kept := c.StaffList(t, "archived", "category", p.Category).Data
		want := p
		want.Status, want.Version = "archived", 2
		if len(kept) == 1 {
			want.UpdatedAt = kept[0].UpdatedAt
		}
		if diff := cmp.Diff([]Product{want}, kept); diff != "" {
			t.Errorf("the archived product (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want, c.Get(t, p.ID)); diff != "" {
			t.Errorf("the archived product as staff reads it (-want +got):\n%s", diff)
		}
	})
	t.Run("TwiceIsTheSameAsOnce", func(t *testing.T) {
		t.Parallel()
		p := c.Create(t, NewProduct())
		c.archive(t, p)
		c.archive(t, p)
		kept := c.StaffList(t, "archived", "category", p.Category).Data
		if len(kept) != 1 || kept[0].Version != 2 {
			t.Errorf("got %+v, want one product of version 2", kept)
		}
	})
	t.Run("DraftToo", func(t *testing.T) {
		t.Parallel()
		p := c.Create(t, NewProduct().With(Document{"status": "draft"}))
		c.archive(t, p)
		if got := c.Get(t, p.ID); got.Status != "archived" {
			t.Errorf("staff reads %+v", got)
		}
	})
	t.Run("SKUStaysTaken", func(t *testing.T) {
		t.Parallel()
		p := c.Create(t, NewProduct())
		c.archive(t, p)
		c.Do(t, c.Creation(t, NewProduct().With(Document{"sku": p.SKU}).String())).
			wantProblem(t, refused(http.StatusConflict, "sku_exists", "/sku"))
	})
	t.Run("WithItsTag", func(t *testing.T) {
		t.Parallel()
		p := c.Create(t, NewProduct())
		c.Do(t, archiving(t, p, `"1"`)).want(t, http.StatusNoContent)
		p = c.Create(t, NewProduct())
		c.Do(t, archiving(t, p, `"2", "1"`)).want(t, http.StatusNoContent)
	})
	for name, tc := range map[string]struct {
		tags string
		want refusal
	}{
		"OtherTag": {`"2"`, stale()}, "WeakTag": {`W/"1"`, stale()}, "Nonsense": {"x", stale()}, "TwoOtherTags": {`"2","3"`, stale()},
	} {
		t.Run("Refuses"+name, func(t *testing.T) {
			t.Parallel()
			p := c.Create(t, NewProduct())
			c.Do(t, archiving(t, p, tc.tags)).wantProblem(t, tc.want)
			if diff := cmp.Diff(p, c.Get(t, p.ID)); diff != "" {
				t.Errorf("a refused request has written (-before +after):\n%s", diff)
			}
		})
	}
	t.Run("RefusesUnknownProduct", func(t *testing.T) {
		t.Parallel()
		for _, id := range []string{nobodysID, "coffee"} {
			c.Do(t, archiving(t, Product{ID: id}, "")).wantProblem(t, notFound())
		}
	})
}
