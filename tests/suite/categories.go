package suite

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
)

type category struct {
	Name           string `json:"name"`
	ActiveProducts int64  `json:"active_products"`
}

// categories returns all categories, read page by page, with the token if it is not empty.
func (c *Caller) categories(t *testing.T, limit int, token string) []category {
	t.Helper()
	var all []category
	for cursor := ""; ; {
		path := "/v1/categories?limit=" + strconv.Itoa(limit) + cursor
		a := c.Do(t, Request{Method: http.MethodGet, Path: path, Token: token}).want(t, http.StatusOK)
		var got struct {
			Data       []category `json:"data"`
			HasMore    bool       `json:"has_more"`
			NextCursor string     `json:"next_cursor"`
		}
		a.decode(t, &got)
		if got.Data == nil || len(got.Data) > limit || got.HasMore != (got.NextCursor != "") {
			t.Fatalf("not a page of %d: %s", limit, a.Body)
		}
		all = append(all, got.Data...)
		if !got.HasMore {
			return all
		}
		cursor = "&cursor=" + got.NextCursor
	}
}

// ActiveProducts returns how many active products the category has, -1 if it is not listed.
func (c *Caller) ActiveProducts(t *testing.T, name string) int64 {
	t.Helper()
	return activeProducts(c.categories(t, 100, ""), name)
}

func activeProducts(all []category, name string) int64 {
	i := slices.IndexFunc(all, func(c category) bool { return c.Name == name })
	if i < 0 {
		return -1
	}
	return all[i].ActiveProducts
}

func (c *Caller) testCategories(t *testing.T) {
	t.Run("CountActiveProducts", func(t *testing.T) {
		t.Parallel()
		body := NewProduct()
		name := body["category"].(string)
		want := func(n int64, after string) {
			t.Helper()
			if got := c.ActiveProducts(t, name); got != n {
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
		list := c.categories(t, 3, "")
		if !slices.IsSortedFunc(list, func(a, b category) int { return strings.Compare(a.Name, b.Name) }) {
			t.Errorf("not by name: %+v", list)
		}
		if len(slices.CompactFunc(slices.Clone(list), func(a, b category) bool { return a.Name == b.Name })) != len(list) {
			t.Errorf("a category is listed twice: %+v", list)
		}
	})
	t.Run("RefuseACursorOfAnotherList", func(t *testing.T) {
		t.Parallel()
		p, other := c.Create(t, NewProduct()), NewProduct()
		c.Create(t, other.With(Document{"category": p.Category}))
		cursor := c.List(t, "category", p.Category, "limit", "1").NextCursor
		for _, query := range []string{"?cursor=" + cursor, "?cursor=x", "?limit=0", "?limit=101"} {
			a := c.Do(t, Request{Method: http.MethodGet, Path: "/v1/categories" + query})
			if a.Status != http.StatusBadRequest {
				t.Errorf("%s: got %d %s, want 400", query, a.Status, a.Body)
			}
		}
	})
	t.Run("SameForEverybody", func(t *testing.T) {
		t.Parallel()
		p := c.Create(t, NewProduct().With(Document{"status": "draft"}))
		for _, token := range []string{"", c.As(t), c.As(t, roleCatalog)} {
			if got := activeProducts(c.categories(t, 100, token), p.Category); got != -1 {
				t.Errorf("a category of drafts is listed with %d active products", got)
			}
		}
	})
}
