package suite

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func (c *Caller) testUpdate(t *testing.T) {
	full := document{
		"description": "Beans.", "tags": []string{"arabica"}, "attributes": map[string]string{"roast": "dark", "origin": "Peru"},
	}
	for name, tc := range map[string]struct {
		change document
		want   func(*product)
	}{
		"Name":        {document{"name": "Other"}, func(p *product) { p.Name = "Other" }},
		"Description": {document{"description": "Other\n"}, func(p *product) { p.Description = "Other\n" }},
		"NullClearsDescription": {
			document{"description": nil}, func(p *product) { p.Description = "" },
		},
		"ListReplacesTags": {document{"tags": []string{"b", "a"}}, func(p *product) { p.Tags = []string{"b", "a"} }},
		"NullClearsTags":   {document{"tags": nil}, func(p *product) { p.Tags = []string{} }},
		"AttributesAreMerged": {
			document{"attributes": document{"roast": "light", "size": "1 kg"}},
			func(p *product) { p.Attributes = map[string]string{"roast": "light", "origin": "Peru", "size": "1 kg"} },
		},
		"NullRemovesAttribute": {
			document{"attributes": document{"roast": nil, "unknown": nil}},
			func(p *product) { p.Attributes = map[string]string{"origin": "Peru"} },
		},
		"NullClearsAttributes":    {document{"attributes": nil}, func(p *product) { p.Attributes = map[string]string{} }},
		"AmountKeepsCurrency":     {document{"price": document{"amount_minor": 5}}, func(p *product) { p.Price.AmountMinor = 5 }},
		"CurrencyKeepsAmount":     {document{"price": document{"currency": "CHF"}}, func(p *product) { p.Price.Currency = "CHF" }},
		"Price":                   {document{"price": document{"amount_minor": 7, "currency": "JPY"}}, func(p *product) { p.Price = price{7, "JPY"} }},
		"EmptyPriceChangesNone":   {document{"price": document{}}, func(*product) {}},
		"Status":                  {document{"status": "draft"}, func(p *product) { p.Status = "draft" }},
		"SameValuesAreAChangeToo": {document{"status": "active"}, func(*product) {}},
		"SeveralMembers": {
			document{"name": "N", "description": nil, "price": document{"amount_minor": 0}},
			func(p *product) { p.Name, p.Description, p.Price.AmountMinor = "N", "", 0 },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before, began := c.create(t, newProduct().with(full)), time.Now()
			a := c.Do(t, c.patching(t, before, tc.change.String())).want(t, http.StatusOK)
			var got product
			a.decode(t, &got)

			want := before
			want.Version, want.UpdatedAt = 2, got.UpdatedAt
			tc.want(&want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("product (-want +got):\n%s", diff)
			}
			wantTime(t, got.UpdatedAt, began)
			a.wantHeader(t, headerETag, `"2"`)
			if diff := cmp.Diff(got, c.get(t, got.ID)); diff != "" {
				t.Errorf("what was answered is not what is stored (-answered +stored):\n%s", diff)
			}
		})
	}
	t.Run("EmptyPatchChangesNoValue", func(t *testing.T) {
		t.Parallel()
		before := c.create(t, newProduct().with(full))
		got := c.patch(t, before, document{})
		got.Version, got.UpdatedAt = before.Version, before.UpdatedAt
		if diff := cmp.Diff(before, got); diff != "" {
			t.Errorf("product (-before +after):\n%s", diff)
		}
	})
	t.Run("VersionsCountUp", func(t *testing.T) {
		t.Parallel()
		p := c.create(t, newProduct())
		for want := int64(2); want <= 5; want++ {
			if p = c.patch(t, p, document{"description": repeat("x", int(want))}); p.Version != want {
				t.Errorf("version %d, want %d", p.Version, want)
			}
		}
	})
	t.Run("PlainJSONIsTakenAsMergePatch", func(t *testing.T) {
		t.Parallel()
		p := c.create(t, newProduct())
		r := c.patching(t, p, `{"name":"Other"}`)
		r.Header[headerContentType] = typeJSON
		c.Do(t, r).want(t, http.StatusOK)
	})
	t.Run("DraftComesBack", func(t *testing.T) {
		t.Parallel()
		p := c.create(t, newProduct().with(document{"status": "draft"}))
		p = c.patch(t, p, document{"status": "active"})
		c.Do(t, Request{Method: http.MethodGet, Path: p.path()}).want(t, http.StatusOK)
	})
}

func (c *Caller) testUpdateRefuses(t *testing.T) {
	type change struct {
		body   string
		header map[string]string // beside If-Match; an empty value takes a header away
		want   refusal
	}
	of := func(change document) string { return change.String() }
	match := func(tags string) map[string]string { return map[string]string{headerIfMatch: tags} }
	typed := func(contentType string) map[string]string { return map[string]string{headerContentType: contentType} }
	name := of(document{"name": "Other"})
	required := refused(http.StatusPreconditionRequired, "precondition_required", headerIfMatch)

	for caseName, tc := range map[string]change{
		"WithoutIfMatch":       {name, match(""), required},
		"StaleTag":             {name, match(`"1"`), stale()},
		"TagOfTheFuture":       {name, match(`"3"`), stale()},
		"WeakTag":              {name, match(`W/"2"`), stale()},
		"TagWithoutQuotes":     {name, match(`2`), stale()},
		"AnyTag":               {name, match(`*`), stale()},
		"NonsenseTag":          {name, match(`"two"`), stale()},
		"TwoTags":              {name, match(`"1", "2"`), parameter(headerIfMatch)},
		"ContentTypeText":      {name, typed("text/plain"), unsupported()},
		"ContentTypeMissing":   {name, typed(""), unsupported()},
		"ContentTypeJSONPatch": {`[{"op":"remove","path":"/name"}]`, typed("application/json-patch+json"), unsupported()},
		"Empty":                {"", typed(typeMergePatch), malformed()},
		"CutOff":               {`{"name":"Other"`, nil, malformed()},
		"TrailingData":         {name + "{}", nil, malformed()},
		"MemberTwice":          {`{"name":"A","name":"B"}`, nil, malformed("/name")},
		"NotUTF8":              {"{\"name\":\"\xff\"}", nil, malformed()},
		"TooDeep":              {of(document{"attributes": document{"a": deep(40)}}), nil, malformed()},
		"Array":                {"[" + name + "]", nil, invalid("")},

		"SKUIsNeverChanged":   {of(document{"sku": "OTHER"}), nil, invalid("/sku")},
		"ID":                  {of(document{"id": nobodysID}), nil, invalid("/id")},
		"Version":             {of(document{"version": 9}), nil, invalid("/version")},
		"CreatedAt":           {of(document{"created_at": "2020-01-01T00:00:00Z"}), nil, invalid("/created_at")},
		"UnknownField":        {of(document{"name": "Other", "colour": "red"}), nil, invalid("/colour")},
		"NameNull":            {of(document{"name": nil}), nil, invalid("/name")},
		"NameEmpty":           {of(document{"name": ""}), nil, invalid("/name")},
		"NameTooLong":         {of(document{"name": repeat("x", 201)}), nil, invalid("/name")},
		"NameNumber":          {of(document{"name": 5}), nil, invalid("/name")},
		"DescriptionTooLong":  {of(document{"description": repeat("x", 5001)}), nil, invalid("/description")},
		"CategoryNull":        {of(document{"category": nil}), nil, invalid("/category")},
		"CategoryNotASlug":    {of(document{"category": "Coffee Beans"}), nil, invalid("/category")},
		"TagBlank":            {of(document{"tags": []string{"a", ""}}), nil, invalid("/tags/1")},
		"TooManyTags":         {of(document{"tags": numbered("t%d", 21)}), nil, invalid("/tags")},
		"TagsText":            {of(document{"tags": "a"}), nil, invalid("/tags")},
		"TooManyAttributes":   {of(document{"attributes": attributes(51)}), nil, invalid("/attributes")},
		"AttributeTooLong":    {of(document{"attributes": document{"a": repeat("x", 257)}}), nil, invalid("/attributes/a")},
		"AttributesList":      {of(document{"attributes": []string{}}), nil, invalid("/attributes")},
		"PriceNull":           {of(document{"price": nil}), nil, invalid("/price")},
		"PriceText":           {of(document{"price": "5 EUR"}), nil, invalid("/price")},
		"PriceUnknownMember":  {of(document{"price": document{"tax": 1}}), nil, invalid("/price/tax")},
		"AmountNull":          {of(document{"price": document{"amount_minor": nil}}), nil, invalid("/price/amount_minor")},
		"AmountNegative":      {of(document{"price": document{"amount_minor": -1}}), nil, invalid("/price/amount_minor")},
		"AmountFraction":      {of(document{"price": document{"amount_minor": 1.5}}), nil, invalid("/price/amount_minor")},
		"CurrencyNull":        {of(document{"price": document{"currency": nil}}), nil, invalid("/price/currency")},
		"CurrencyUnknown":     {of(document{"price": document{"currency": "XQX"}}), nil, invalid("/price/currency")},
		"StatusNull":          {of(document{"status": nil}), nil, invalid("/status")},
		"StatusArchived":      {of(document{"status": "archived"}), nil, invalid("/status")},
		"StatusUnknown":       {of(document{"status": "gone"}), nil, invalid("/status")},
		"GoodAndBrokenMember": {of(document{"name": "Other", "status": "gone"}), nil, invalid("/status")},
	} {
		t.Run(caseName, func(t *testing.T) {
			t.Parallel()
			p := c.patch(t, c.create(t, newProduct()), document{"description": "Version 2."})
			r := c.patching(t, p, tc.body)
			for name, value := range tc.header {
				if value == "" && name == headerIfMatch {
					delete(r.Header, name)
				} else {
					r.Header[name] = value
				}
			}
			c.Do(t, r).wantProblem(t, tc.want)
			if diff := cmp.Diff(p, c.get(t, p.ID)); diff != "" {
				t.Errorf("a refused request has written (-before +after):\n%s", diff)
			}
		})
	}
	t.Run("UnknownProduct", func(t *testing.T) {
		t.Parallel()
		for _, id := range []string{nobodysID, "coffee"} {
			c.Do(t, c.patching(t, product{ID: id, Version: 1}, name)).wantProblem(t, notFound())
		}
	})
	t.Run("ArchivedProduct", func(t *testing.T) {
		t.Parallel()
		p := c.create(t, newProduct())
		c.archive(t, p)
		p.Version = 2
		c.Do(t, c.patching(t, p, of(document{"status": "active"}))).wantProblem(t, gone())
	})
	t.Run("AttributesThatAddUp", func(t *testing.T) {
		t.Parallel()
		p := c.create(t, newProduct().with(document{"attributes": attributes(50)}))
		c.Do(t, c.patching(t, p, of(document{"attributes": document{"one-more": "x"}}))).wantProblem(t, invalid("/attributes"))
		if got := c.get(t, p.ID); got.Version != 1 {
			t.Errorf("a refused request has written version %d", got.Version)
		}
	})
}
