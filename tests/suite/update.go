package suite

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func (c *Caller) testUpdate(t *testing.T) {
	full := Document{
		"description": "Beans.", "tags": []string{"arabica"}, "attributes": map[string]string{"roast": "dark", "origin": "Peru"},
	}
	for name, tc := range map[string]struct {
		change Document
		want   func(*Product)
	}{
		"Name":        {Document{"name": "Other"}, func(p *Product) { p.Name = "Other" }},
		"Description": {Document{"description": "Other\n"}, func(p *Product) { p.Description = "Other\n" }},
		"NullClearsDescription": {
			Document{"description": nil}, func(p *Product) { p.Description = "" },
		},
		"ListReplacesTags": {Document{"tags": []string{"b", "a"}}, func(p *Product) { p.Tags = []string{"b", "a"} }},
		"NullClearsTags":   {Document{"tags": nil}, func(p *Product) { p.Tags = []string{} }},
		"AttributesAreMerged": {
			Document{"attributes": Document{"roast": "light", "size": "1 kg"}},
			func(p *Product) { p.Attributes = map[string]string{"roast": "light", "origin": "Peru", "size": "1 kg"} },
		},
		"NullRemovesAttribute": {
			Document{"attributes": Document{"roast": nil, "unknown": nil}},
			func(p *Product) { p.Attributes = map[string]string{"origin": "Peru"} },
		},
		"NullClearsAttributes": {Document{"attributes": nil}, func(p *Product) { p.Attributes = map[string]string{} }},
		"AmountKeepsCurrency":  {Document{"price": Document{"amount_minor": 5}}, func(p *Product) { p.Price.AmountMinor = 5 }},
		"CurrencyKeepsAmount":  {Document{"price": Document{"currency": "CHF"}}, func(p *Product) { p.Price.Currency = "CHF" }},
		"Price":                {Document{"price": Document{"amount_minor": 7, "currency": "JPY"}}, func(p *Product) { p.Price = Price{7, "JPY"} }},
		"Status":               {Document{"status": "draft"}, func(p *Product) { p.Status = "draft" }},
		"SeveralMembers": {
			Document{"name": "N", "description": nil, "price": Document{"amount_minor": 0}},
			func(p *Product) { p.Name, p.Description, p.Price.AmountMinor = "N", "", 0 },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before, began := c.Create(t, NewProduct().With(full)), time.Now()
			a := c.Do(t, c.Patching(t, before, tc.change.String())).want(t, http.StatusOK)
			var got Product
			a.decode(t, &got)

			want := before
			want.Version, want.UpdatedAt = 2, got.UpdatedAt
			tc.want(&want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("product (-want +got):\n%s", diff)
			}
			wantTime(t, got.UpdatedAt, began)
			a.wantHeader(t, headerETag, `"2"`)
			if diff := cmp.Diff(got, c.Get(t, got.ID)); diff != "" {
				t.Errorf("what was answered is not what is stored (-answered +stored):\n%s", diff)
			}
		})
	}
	t.Run("NothingChanges", func(t *testing.T) {
		t.Parallel()
		before := c.Create(t, NewProduct().With(full))
		for _, change := range []Document{
			{}, {"price": Document{}}, {"status": "active"}, {"attributes": Document{"unknown": nil}}, {"tags": []string{"arabica"}},
		} {
			a := c.Do(t, c.Patching(t, before, change.String())).want(t, http.StatusOK)
			a.wantHeader(t, headerETag, `"1"`)
			var got Product
			a.decode(t, &got)
			if diff := cmp.Diff(before, got); diff != "" {
				t.Errorf("%s (-before +after):\n%s", change, diff)
			}
		}
		if diff := cmp.Diff(before, c.Get(t, before.ID)); diff != "" {
			t.Errorf("stored (-before +after):\n%s", diff)
		}
	})
	t.Run("IDInLowerCase", func(t *testing.T) {
		t.Parallel()
		p := c.Create(t, NewProduct())
		lower := p
		lower.ID = strings.ToLower(p.ID)
		if got := c.patch(t, lower, Document{"name": "Other"}); got.ID != p.ID || got.Version != 2 {
			t.Errorf("got %+v", got)
		}
		if got := c.Get(t, lower.ID); got.ID != p.ID {
			t.Errorf("read %s", got.ID)
		}
		c.Do(t, Request{Method: http.MethodGet, Path: lower.path()}).want(t, http.StatusOK)
	})
	t.Run("VersionsCountUp", func(t *testing.T) {
		t.Parallel()
		p := c.Create(t, NewProduct())
		for want := int64(2); want <= 5; want++ {
			if p = c.patch(t, p, Document{"description": repeat("x", int(want))}); p.Version != want {
				t.Errorf("version %d, want %d", p.Version, want)
			}
		}
	})
	t.Run("PlainJSONIsTakenAsMergePatch", func(t *testing.T) {
		t.Parallel()
		p := c.Create(t, NewProduct())
		r := c.Patching(t, p, `{"name":"Other"}`)
		r.Header[headerContentType] = typeJSON
		c.Do(t, r).want(t, http.StatusOK)
	})
	t.Run("DraftComesBack", func(t *testing.T) {
		t.Parallel()
		p := c.Create(t, NewProduct().With(Document{"status": "draft"}))
		p = c.patch(t, p, Document{"status": "active"})
		c.Do(t, Request{Method: http.MethodGet, Path: p.path()}).want(t, http.StatusOK)
	})
}

func (c *Caller) testUpdateRefuses(t *testing.T) {
	type change struct {
		body   string
		header map[string]string // besides If-Match; an empty value removes a header
		want   refusal
	}
	of := func(change Document) string { return change.String() }
	match := func(tags string) map[string]string { return map[string]string{headerIfMatch: tags} }
	typed := func(contentType string) map[string]string { return map[string]string{headerContentType: contentType} }
	name := of(Document{"name": "Other"})
	required := refused(http.StatusPreconditionRequired, "precondition_required", headerIfMatch)

	for caseName, tc := range map[string]change{
		"WithoutIfMatch":       {name, match(""), required},
		"StaleTag":             {name, match(`"1"`), stale()},
		"TagOfTheFuture":       {name, match(`"3"`), stale()},
		"WeakTag":              {name, match(`W/"2"`), stale()},
		"TagWithoutQuotes":     {name, match(`2`), stale()},
		"WeakTagInAList":       {name, match(`"1", W/"2"`), stale()},
		"TagWithCommas":        {name, match(`"1,2"`), stale()},
		"AnyInATag":            {name, match(`"a,*,b"`), stale()},
		"OnlyCommas":           {name, match(`,`), parameter(headerIfMatch)},
		"NonsenseTag":          {name, match(`"two"`), stale()},
		"ContentTypeText":      {name, typed("text/plain"), unsupported()},
		"ContentTypeMissing":   {name, typed(""), unsupported()},
		"ContentTypeJSONPatch": {`[{"op":"remove","path":"/name"}]`, typed("application/json-patch+json"), unsupported()},
		"Empty":                {"", typed(typeMergePatch), malformed()},
		"CutOff":               {`{"name":"Other"`, nil, malformed()},
		"TrailingData":         {name + "{}", nil, malformed()},
		"MemberTwice":          {`{"name":"A","name":"B"}`, nil, malformed("/name")},
		"NotUTF8":              {"{\"name\":\"\xff\"}", nil, malformed()},
		"TooDeep":              {of(Document{"attributes": Document{"a": deep(40)}}), nil, malformed()},
		"Array":                {"[" + name + "]", nil, invalid("")},

		"SKUIsNeverChanged":   {of(Document{"sku": "OTHER"}), nil, invalid("/sku")},
		"ID":                  {of(Document{"id": nobodysID}), nil, invalid("/id")},
		"Version":             {of(Document{"version": 9}), nil, invalid("/version")},
		"Together":            {of(Document{"name": "", "colour": "red", "tags": []any{1}, "price": Document{"amount_minor": int64(9007199254740993)}}), nil, invalid("/colour", "/tags/0", "/price/amount_minor", "/name")},
		"CreatedAt":           {of(Document{"created_at": "2020-01-01T00:00:00Z"}), nil, invalid("/created_at")},
		"UnknownField":        {of(Document{"name": "Other", "colour": "red"}), nil, invalid("/colour")},
		"NameNull":            {of(Document{"name": nil}), nil, invalid("/name")},
		"NameEmpty":           {of(Document{"name": ""}), nil, invalid("/name")},
		"NameTooLong":         {of(Document{"name": repeat("x", 201)}), nil, invalid("/name")},
		"NameNumber":          {of(Document{"name": 5}), nil, invalid("/name")},
		"DescriptionTooLong":  {of(Document{"description": repeat("x", 5001)}), nil, invalid("/description")},
		"CategoryNull":        {of(Document{"category": nil}), nil, invalid("/category")},
		"CategoryNotASlug":    {of(Document{"category": "Coffee Beans"}), nil, invalid("/category")},
		"TagBlank":            {of(Document{"tags": []string{"a", ""}}), nil, invalid("/tags/1")},
		"TooManyTags":         {of(Document{"tags": numbered("t%d", 21)}), nil, invalid("/tags")},
		"TagsText":            {of(Document{"tags": "a"}), nil, invalid("/tags")},
		"TooManyAttributes":   {of(Document{"attributes": attributes(51)}), nil, invalid("/attributes")},
		"AttributeTooLong":    {of(Document{"attributes": Document{"a": repeat("x", 257)}}), nil, invalid("/attributes/a")},
		"AttributesList":      {of(Document{"attributes": []string{}}), nil, invalid("/attributes")},
		"PriceNull":           {of(Document{"price": nil}), nil, invalid("/price")},
		"PriceText":           {of(Document{"price": "5 EUR"}), nil, invalid("/price")},
		"PriceUnknownMember":  {of(Document{"price": Document{"tax": 1}}), nil, invalid("/price/tax")},
		"AmountNull":          {of(Document{"price": Document{"amount_minor": nil}}), nil, invalid("/price/amount_minor")},
		"AmountNegative":      {of(Document{"price": Document{"amount_minor": -1}}), nil, invalid("/price/amount_minor")},
		"AmountFraction":      {of(Document{"price": Document{"amount_minor": 1.5}}), nil, invalid("/price/amount_minor")},
		"CurrencyNull":        {of(Document{"price": Document{"currency": nil}}), nil, invalid("/price/currency")},
		"CurrencyUnknown":     {of(Document{"price": Document{"currency": "XQX"}}), nil, invalid("/price/currency")},
		"StatusNull":          {of(Document{"status": nil}), nil, invalid("/status")},
		"StatusArchived":      {of(Document{"status": "archived"}), nil, invalid("/status")},
		"StatusUnknown":       {of(Document{"status": "gone"}), nil, invalid("/status")},
		"GoodAndBrokenMember": {of(Document{"name": "Other", "status": "gone"}), nil, invalid("/status")},
	} {
		t.Run(caseName, func(t *testing.T) {
			t.Parallel()
			p := c.patch(t, c.Create(t, NewProduct()), Document{"description": "Version 2."})
			r := c.Patching(t, p, tc.body)
			for name, value := range tc.header {
				if value == "" && name == headerIfMatch {
					delete(r.Header, name)
				} else {
					r.Header[name] = value
				}
			}
			c.Do(t, r).wantProblem(t, tc.want)
			if diff := cmp.Diff(p, c.Get(t, p.ID)); diff != "" {
				t.Errorf("a refused request has written (-before +after):\n%s", diff)
			}
		})
	}
	for caseName, tags := range map[string]string{"AnyTag": "*", "OneOfTwoTags": `"7", "1"`} {
		t.Run("Accepts"+caseName, func(t *testing.T) {
			t.Parallel()
			r := c.Patching(t, c.Create(t, NewProduct()), name)
			r.Header[headerIfMatch] = tags
			c.Do(t, r).want(t, http.StatusOK).wantHeader(t, headerETag, `"2"`)
		})
	}
	t.Run("UnknownProduct", func(t *testing.T) {
		t.Parallel()
		for _, id := range []string{nobodysID, "coffee"} {
			c.Do(t, c.Patching(t, Product{ID: id, Version: 1}, name)).wantProblem(t, notFound())
		}
	})
	t.Run("ArchivedProduct", func(t *testing.T) {
		t.Parallel()
		p := c.Create(t, NewProduct())
		c.archive(t, p)
		p.Version = 2
		c.Do(t, c.Patching(t, p, of(Document{"status": "active"}))).wantProblem(t, gone())
	})
	t.Run("AttributesThatAddUp", func(t *testing.T) {
		t.Parallel()
		p := c.Create(t, NewProduct().With(Document{"attributes": attributes(50)}))
		c.Do(t, c.Patching(t, p, of(Document{"attributes": Document{"one-more": "x"}}))).wantProblem(t, invalid("/attributes"))
		if got := c.Get(t, p.ID); got.Version != 1 {
			t.Errorf("a refused request has written version %d", got.Version)
		}
	})
}
