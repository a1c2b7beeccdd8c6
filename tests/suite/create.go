package suite

import (
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var ulids = regexp.MustCompile(`^[0-7][0-9A-HJKMNP-TV-Z]{25}$`)

func (c *Caller) testCreate(t *testing.T) {
	t.Run("OnlyWhatIsRequired", func(t *testing.T) {
		t.Parallel()
		body := NewProduct()
		began := time.Now()
		a := c.Do(t, c.Creation(t, body.String())).want(t, http.StatusCreated)

		a.wantMembers(t, "id", "sku", "name", "description", "category", "tags", "attributes", "price", "status",
			"version", "created_at", "updated_at")
		var got Product
		a.decode(t, &got)
		want := Product{
			ID: got.ID, SKU: body["sku"].(string), Name: body["name"].(string), Category: body["category"].(string),
			Tags: []string{}, Attributes: map[string]string{}, Price: Price{1250, "EUR"}, Status: "active", Version: 1,
			CreatedAt: got.CreatedAt, UpdatedAt: got.CreatedAt,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("product (-want +got):\n%s", diff)
		}
		if !ulids.MatchString(got.ID) {
			t.Errorf("id %q is not a ULID", got.ID)
		}
		wantTime(t, got.CreatedAt, began)
		a.wantHeader(t, headerLocation, "products/"+got.ID) // relative to the request's URL
		a.wantHeader(t, headerETag, `"1"`)

		if diff := cmp.Diff(got, c.Get(t, got.ID)); diff != "" {
			t.Errorf("what was answered is not what is stored (-answered +stored):\n%s", diff)
		}
	})
	t.Run("Everything", func(t *testing.T) {
		t.Parallel()
		body := NewProduct().With(Document{
			"description": "Ground fresh.\nVoilà: ☕", "tags": []string{"arabica", "single origin"}, "status": "draft",
			"attributes": map[string]string{"roast": "dark", "a/b ~ c": "d"},
			"price":      Document{"amount_minor": 0, "currency": "JPY"},
		})
		got := c.Create(t, body)
		want := Product{
			ID: got.ID, SKU: body["sku"].(string), Name: body["name"].(string), Category: body["category"].(string),
			Description: "Ground fresh.\nVoilà: ☕", Tags: []string{"arabica", "single origin"}, Status: "draft",
			Attributes: map[string]string{"roast": "dark", "a/b ~ c": "d"}, Price: Price{0, "JPY"}, Version: 1,
			CreatedAt: got.CreatedAt, UpdatedAt: got.CreatedAt,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("product (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(got, c.Get(t, got.ID)); diff != "" {
			t.Errorf("what was answered is not what is stored (-answered +stored):\n%s", diff)
		}
	})
	for name, change := range map[string]Document{
		"LongestName":        {"name": repeat("ñ", 200)},
		"LongestDescription": {"description": repeat("☕", 5000)},
		"LongestCategory":    {"category": "c" + repeat("x", 51) + unique()[:12]},
		"LongestSKU":         {"sku": "S" + repeat(".", 50) + unique()},
		"MostTags":           {"tags": numbered("tag %d", 20)},
		"LongestTag":         {"tags": []string{repeat("é", 50)}},
		"MostAttributes":     {"attributes": attributes(50)},
		"LargestPrice":       {"price": Document{"amount_minor": int64(1<<53 - 1), "currency": "KWD"}},
		"FreeOfCharge":       {"price": Document{"amount_minor": 0, "currency": "EUR"}},
		"MarkupIsText":       {"description": "<script>&amp;</script>"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := c.Create(t, NewProduct().With(change))
			if diff := cmp.Diff(got, c.Get(t, got.ID)); diff != "" {
				t.Errorf("what was answered is not what is stored (-answered +stored):\n%s", diff)
			}
			if name == "MarkupIsText" && got.Description != change["description"] {
				t.Errorf("description %q", got.Description)
			}
		})
	}
	for name, contentType := range map[string]string{
		"CharsetUTF8":        "application/json; charset=utf-8",
		"LetterCaseOfTypes":  "Application/JSON;charset=UTF-8",
		"CharsetLatin1":      "application/json; charset=iso-8859-1",
		"WithOtherParameter": "application/json; profile=x",
	} {
		t.Run("ContentType"+name, func(t *testing.T) {
			t.Parallel()
			r := c.Creation(t, NewProduct().String())
			r.Header = map[string]string{headerContentType: contentType}
			c.Do(t, r).want(t, http.StatusCreated)
		})
	}
	t.Run("TakenSKUIsAConflict", func(t *testing.T) {
		t.Parallel()
		first := NewProduct()
		c.Create(t, first)
		second := NewProduct().With(Document{"sku": first["sku"]})
		c.Do(t, c.Creation(t, second.String())).wantProblem(t, refused(http.StatusConflict, "sku_exists", "/sku"))
		c.wantEmpty(t, second["category"].(string))
	})
	t.Run("SKUsDifferByLetterCase", func(t *testing.T) {
		t.Parallel()
		word := unique()
		c.Create(t, NewProduct().With(Document{"sku": "A" + word}))
		c.Create(t, NewProduct().With(Document{"sku": "a" + word}))
	})
}

// timeLayout is the one form of times: RFC 3339 in UTC with three digits of milliseconds.
const timeLayout = "2006-01-02T15:04:05.000Z"

// wantTime reports a text that is not a time in the one form, or not between
// began and now. Clocks may differ by a second.
func wantTime(t TB, text string, began time.Time) {
	t.Helper()
	at, err := time.Parse(timeLayout, text)
	if err != nil {
		t.Errorf("time: %v", err)
		return
	}
	if at.Before(began.Add(-time.Second)) || at.After(time.Now().Add(time.Second)) {
		t.Errorf("time %s is not now", text)
	}
}

// wantEmpty reports products in the category, whatever their status.
func (c *Caller) wantEmpty(t TB, category string) {
	t.Helper()
	for _, status := range []string{"active", "draft", "archived"} {
		if l := c.StaffList(t, status, "category", category); len(l.Data) > 0 {
			t.Errorf("a refused request has written %+v", l.Data)
		}
	}
}

func attributes(n int) map[string]string {
	all := map[string]string{}
	for _, name := range numbered("name%d", n) {
		all[name] = "value"
	}
	return all
}
