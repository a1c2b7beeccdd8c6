package suite

import (
	"net/http"
	"slices"
	"strings"
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

func (c *Caller) testCategories(t *testing.T) {
	type category struct {
		Name           string `json:"name"`
		ActiveProducts int64  `json:"active_products"`
	}
	// all returns the categories, and how many active products the named one has, -1 for absent.
	all := func(t *testing.T, name string) ([]category, int64) {
		t.Helper()
		a := c.Do(t, Request{Method: http.MethodGet, Path: "/v1/categories"}).want(t, http.StatusOK)
		a.wantMembers(t, "data", "has_more")
		var got struct {
			Data    []category `json:"data"`
			HasMore bool       `json:"has_more"`
		}
		a.decode(t, &got)
		if got.HasMore || got.Data == nil {
			t.Errorf("categories come in one list: %s", a.Body)
		}
		i := slices.IndexFunc(got.Data, func(c category) bool { return c.Name == name })
		if i < 0 {
			return got.Data, -1
		}
		return got.Data, got.Data[i].ActiveProducts
	}

	t.Run("CountActiveProducts", func(t *testing.T) {
		t.Parallel()
		body := NewProduct()
		name := body["category"].(string)
		want := func(n int64, after string) {
			t.Helper()
			if _, got := all(t, name); got != n {
				t.Errorf("after %s: %d active products, want %d (-1: the category is absent)", after, got, n)
			}
		}
		draft := c.Create(t, body.With(Document{"status": "draft"}))
		want(-1, "a draft")
		p := c.Create(t, NewProduct().With(Document{"category": name}))
		want(1, "an active product")
		draft = c.patch(t, draft, Document{"status": "active"})
		want(2, "publishing the draft")
		p = c.patch(t, p, Document{"name": "Other", "price": Document{"amount_minor": 1}})
		want(2, "a change of something else")
		c.archive(t, p)
		c.archive(t, p)
		want(1, "archiving one of them twice")
		c.patch(t, draft, Document{"category": "c-" + unique()})
		want(-1, "moving the last one away")
	})
	t.Run("ByNameAndOnce", func(t *testing.T) {
		t.Parallel()
		c.Create(t, NewProduct())
		c.Create(t, NewProduct())
		list, _ := all(t, "")
		if !slices.IsSortedFunc(list, func(a, b category) int { return strings.Compare(a.Name, b.Name) }) {
			t.Errorf("not by name: %+v", list)
		}
		if len(slices.CompactFunc(slices.Clone(list), func(a, b category) bool { return a.Name == b.Name })) != len(list) {
			t.Errorf("a category is listed twice: %+v", list)
		}
	})
	t.Run("SameForEverybody", func(t *testing.T) {
		t.Parallel()
		p := c.Create(t, NewProduct().With(Document{"status": "draft"}))
		for _, token := range []string{c.As(t), c.As(t, roleCatalog)} {
			a := c.Do(t, Request{Method: http.MethodGet, Path: "/v1/categories", Token: token}).want(t, http.StatusOK)
			if _, got := all(t, p.Category); got != -1 {
				t.Errorf("a category of drafts is listed: %s", a.Body)
			}
		}
	})
}
