package suite

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	maxBody    = 64 << 10  // bytes of a request that most functions take
	maxProduct = 320 << 10 // bytes of a product
	maxGateway = 10 << 20  // bytes of a request that the gateway takes
)

func (c *Caller) testLimits(t *testing.T) {
	tooLarge := refused(http.StatusRequestEntityTooLarge, "body_too_large")
	for name, stream := range map[string]bool{"": false, "InChunks": true} {
		t.Run("LargestBody"+name, func(t *testing.T) {
			t.Parallel()
			body := NewProduct().String()
			r := c.Creation(t, body+repeat(" ", maxProduct-len(body)))
			r.Stream = stream
			c.Do(t, r).want(t, http.StatusCreated)
		})
		t.Run("OneByteMore"+name, func(t *testing.T) {
			t.Parallel()
			valid := NewProduct()
			body := valid.String()
			r := c.Creation(t, body+repeat(" ", maxProduct+1-len(body)))
			r.Stream = stream
			c.Do(t, r).wantProblem(t, tooLarge)
			c.wantEmpty(t, valid["category"].(string))
			c.Create(t, valid)
		})
	}
	t.Run("LongestAttributesAsEscapes", func(t *testing.T) {
		t.Parallel()
		all := map[string]string{}
		for i := range 50 {
			all[fmt.Sprintf("%02d", i)] = repeat("茶", 256)
		}
		valid := NewProduct().With(Document{"attributes": all})
		body := strings.ReplaceAll(valid.String(), "茶", `\u8336`)
		var got Product
		c.Do(t, c.Creation(t, body)).want(t, http.StatusCreated).decode(t, &got)
		if diff := cmp.Diff(all, got.Attributes); diff != "" {
			t.Errorf("attributes of a body of %d bytes (-want +got):\n%s", len(body), diff)
		}
	})
	t.Run("OneByteMoreToPatch", func(t *testing.T) {
		t.Parallel()
		p := c.Create(t, NewProduct())
		c.Do(t, c.Patching(t, p, `{"name":"Other"}`+repeat(" ", maxProduct))).wantProblem(t, tooLarge)
		if got := c.Get(t, p.ID); got.Version != 1 {
			t.Errorf("a refused request has written version %d", got.Version)
		}
	})
	t.Run("OneByteMoreToAdjust", func(t *testing.T) {
		t.Parallel()
		p := c.Create(t, NewProduct())
		c.Do(t, c.Adjusting(t, p, unique(), Movement(1)+repeat(" ", maxBody))).wantProblem(t, tooLarge)
		if got := c.Stock(t, p); got.Available != 0 {
			t.Errorf("a refused request has moved %d pieces", got.Available)
		}
	})
	t.Run("RoleBeforeSize", func(t *testing.T) {
		t.Parallel()
		r := c.Creation(t, repeat(" ", maxProduct))
		r.Token = c.As(t)
		c.Do(t, r).wantProblem(t, forbidden())
	})
	t.Run("BodyThatNobodyReads", func(t *testing.T) {
		t.Parallel()
		c.Do(t, Request{Method: http.MethodGet, Path: "/v1/categories", Body: "{}"}).want(t, http.StatusOK)
		c.Do(t, Request{Method: http.MethodGet, Path: "/v1/categories", Body: repeat(" ", maxBody+1)}).wantProblem(t, tooLarge)
	})
	t.Run("TheGatewaysOwnLimit", func(t *testing.T) {
		t.Parallel()
		r := c.Creation(t, repeat(" ", maxGateway+1))
		r.ByGateway = true
		a := c.Do(t, r).want(t, http.StatusRequestEntityTooLarge)
		if want := `{"message":"Request Entity Too Large"}`; string(a.Body) != want {
			t.Errorf("body %s, want %s", a.Body, want)
		}
	})
}

func (c *Caller) testEncoding(t *testing.T) {
	// Whether an encoded slash or question mark ends a segment is the gateway's; nothing is found
	// either way.
	for name, id := range map[string]string{
		"Slash": "%2F", "SlashInside": "a%2Fb", "EncodedSlash": "a%252Fb", "QuestionMark": "a%3Fb", "OnlyQuestionMark": "%3F", "Plus": "+",
		"PlusInside": "a+b", "EncodedPlus": "a%2Bb", "Space": "a%20b", "Hash": "a%23b", "NUL": "a%00b", "LineEnd": "a%0D%0Ab", "Dots": "..",
		"EncodedDots": "%2e%2e", "EncodedTraversal": "..%2F..%2Fhealth", "Semicolon": "a;b", "Comma": "a,b", "Euro": "%E2%82%AC", "NotUTF8": "%FF%FE",
		"Quote": "%22%27", "Markup": "%3Cscript%3E", "Backslash": "%5C", "Brace": "%7Bid%7D", "Colon": "a:b", "At": "@", "Ampersand": "a&b=c",
	} {
		t.Run("ID_"+name, func(t *testing.T) {
			t.Parallel()
			requests := []Request{
				{Method: http.MethodGet, Path: "/v1/products/" + id},
				{Method: http.MethodGet, Path: "/v1/staff/products/" + id, Token: c.As(t, roleCatalog)},
				{Method: http.MethodGet, Path: "/v1/products/" + id + "/inventory", Token: c.As(t, roleCatalog)},
				{Method: http.MethodDelete, Path: "/v1/products/" + id, Token: c.As(t, roleCatalog)},
				{
					Method: http.MethodPatch, Path: "/v1/products/" + id, Token: c.As(t, roleCatalog),
					Header: map[string]string{headerIfMatch: `"1"`}, Body: `{"name":"Other"}`,
				},
				c.Adjusting(t, Product{ID: id}, unique(), Movement(1)),
			}
			for _, r := range requests {
				a := c.Do(t, r)
				if code := a.problem(t).Code; a.Status != http.StatusNotFound || code != "product_not_found" && code != "route_not_found" {
					t.Errorf("%s %s: got %d %s, want 404", r.Method, r.Path, a.Status, a.Body)
				}
			}
		})
	}
	for name, query := range map[string]string{
		"NotUTF8": "q=%FF%FE", "NUL": "q=aa%00", "Markup": "q=%3Cscript%3E", "PlusIsSpace": "q=no+such", "RepeatedUnknown": "q=aa&x=1&x=2",
		"EmptyPairs": "&&q=aa&&=&", "NameOnly": "q=aa&flag", "Comma": "q=aa,bb", "EncodedAmpersand": "q=aa%26limit%3D0", "LongUnknown": "q=aa&x=" + repeat("y", 3000),
	} {
		t.Run("Query_"+name, func(t *testing.T) {
			t.Parallel()
			a := c.Do(t, Request{Method: http.MethodGet, Path: "/v1/products/search?" + query})
			if a.Status != http.StatusOK && a.Status != http.StatusBadRequest {
				t.Errorf("got %d %s, want 200 or 400", a.Status, a.Body)
			}
		})
	}
}
