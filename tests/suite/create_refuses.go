package suite

import (
	"maps"
	"strings"
	"testing"
)

// rejected is a request that is refused for one change to a valid one.
type rejected struct {
	// change is made to the body's members, text to its text.
	change Document
	text   func(body string) string
	header map[string]string
	want   refusal
}

func (r rejected) body(valid Document) string {
	body := valid.With(r.change).String()
	if r.text != nil {
		body = r.text(body)
	}
	return body
}

func (c *Caller) testCreateRefuses(t *testing.T) {
	cases := unreadable()
	maps.Copy(cases, brokenMembers())
	for name, r := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			valid := NewProduct()
			request := c.Creation(t, r.body(valid))
			request.Header = r.header
			if request.Body == "" {
				request.Header = map[string]string{headerContentType: typeJSON}
			}
			c.Do(t, request).wantProblem(t, r.want)

			c.wantEmpty(t, valid["category"].(string))
			c.Create(t, valid) // the SKU is still free
		})
	}
}

// unreadable are bodies that are refused before their members are validated.
func unreadable() map[string]rejected {
	becomes := func(body string) func(string) string { return func(string) string { return body } }
	typed := func(contentType string) rejected {
		return rejected{header: map[string]string{headerContentType: contentType}, want: unsupported()}
	}
	return map[string]rejected{
		"Empty":         {text: becomes(""), want: malformed()},
		"Blank":         {text: becomes(" \n\t "), want: malformed()},
		"NotJSON":       {text: becomes("sku=1&name=2"), want: malformed()},
		"CutOff":        {text: func(body string) string { return body[:len(body)-1] }, want: malformed()},
		"TrailingBrace": {text: func(body string) string { return body + "}" }, want: malformed()},
		"TrailingValue": {text: func(body string) string { return body + ` {"sku":"x"}` }, want: malformed()},
		"TrailingComma": {text: func(body string) string { return body[:len(body)-1] + ",}" }, want: malformed()},
		"NotUTF8":       {text: func(body string) string { return strings.Replace(body, "Blend", "Bl\xff\xfend", 1) }, want: malformed()},
		"UTF16":         {text: becomes("\xfe\xff\x00{\x00}"), want: malformed()},
		"ByteOrderMark": {text: func(body string) string { return "\uFEFF" + body }, want: malformed()},
		"MemberTwice":   {text: func(body string) string { return `{"name":"Other",` + body[1:] }, want: malformed("/name")},
		"InnerMemberTwice": {text: func(body string) string {
			return strings.Replace(body, `"currency":`, `"currency":"USD","currency":`, 1)
		}, want: malformed("/price/currency")},
		"TooDeep":               {change: Document{"description": deep(32)}, want: malformed()},
		"DeepestIsReadToItsEnd": {change: Document{"description": deep(31)}, want: invalid("/description")},
		"FarTooDeep":            {text: becomes(strings.Repeat("[", 30_000)), want: malformed()},
		"Null":                  {text: becomes("null"), want: invalid("")},
		"Array":                 {text: func(body string) string { return "[" + body + "]" }, want: invalid("")},
		"Number":                {text: becomes("5"), want: invalid("")},
		"NoMembers":             {text: becomes("{}"), want: invalid("/sku", "/name", "/category", "/price")},
		"ContentTypeMissing":    {header: map[string]string{headerContentType: ""}, want: unsupported()},
		"ContentTypeText":       typed("text/plain"),
		"ContentTypeForm":       typed("application/x-www-form-urlencoded"),
		"ContentTypeXML":        typed("application/xml"),
		"ContentTypePatch":      typed(typeMergePatch),
		"ContentTypeProblem":    typed(typeProblem),
		"ContentTypeBinary":     typed("application/octet-stream"),
		"ContentTypeMalformed":  typed("application/json;;;="),
	}
}

// brokenMembers are bodies of which one member or more break a rule.
func brokenMembers() map[string]rejected {
	cases := map[string]rejected{}
	add := func(name, member string, value any, pointers ...string) {
		if len(pointers) == 0 {
			pointers = []string{"/" + member}
		}
		cases[name] = rejected{change: Document{member: value}, want: invalid(pointers...)}
	}
	for _, member := range []string{"sku", "name", "category", "price"} {
		add("Without_"+member, member, drop)
		add("Null_"+member, member, nil)
		add("Number_"+member, member, 5)
		add("Boolean_"+member, member, true)
	}
	for _, member := range []string{"description", "tags", "attributes", "status"} {
		add("Number_"+member, member, 5)
		add("Boolean_"+member, member, false)
	}
	for _, member := range []string{"id", "version", "created_at", "updated_at", "colour", "SKU", "Name", ""} {
		add("Unknown_"+member, member, "1")
	}
	add("UnknownNameIsEscaped", "a/b~c", 1, "/a~1b~0c")

	add("SKUEmpty", "sku", "")
	add("SKUTooLong", "sku", repeat("S", 65))
	add("SKUWithSpace", "sku", "A 1")
	add("SKUWithSlash", "sku", "A/1")
	add("SKUWithHash", "sku", "A#1")
	add("SKUStartsWithDash", "sku", "-A1")
	add("SKUWithLineEnd", "sku", "A1\n")
	add("SKUWithAccent", "sku", "É1")

	add("NameEmpty", "name", "")
	add("NameBlank", "name", " \t\u00a0")
	add("NameInvisible", "name", "\u200b\u3164\u2800")
	add("NameTooLong", "name", repeat("ñ", 201))
	add("NameWithNUL", "name", "Blend\x00")
	add("NameWithEscape", "name", "Blend\x1b[31m")
	add("NameIsObject", "name", Document{"en": "Blend"})
	add("DescriptionTooLong", "description", repeat("x", 5001))
	add("DescriptionWithControl", "description", "a\x7fb")

	add("CategoryUpperCase", "category", "Coffee")
	add("CategoryWithSpace", "category", "coffee beans")
	add("CategoryDoubleDash", "category", "coffee--beans")
	add("CategoryTooLong", "category", repeat("c", 65))
	add("CategoryWithHash", "category", "coffee#active")

	add("TooManyTags", "tags", numbered("tag%d", 21))
	add("TagTooLong", "tags", []string{"fine", repeat("t", 51)}, "/tags/1")
	add("TagBlank", "tags", []string{" ", "fine"}, "/tags/0")
	add("TagNull", "tags", []any{"fine", nil}, "/tags/1")
	add("TagsAreText", "tags", "arabica,washed")
	add("TooManyAttributes", "attributes", attributes(51))
	add("AttributeWithoutName", "attributes", map[string]string{"": "x"})
	add("AttributeNameTooLong", "attributes", map[string]string{repeat("n", 65): "x"})
	add("AttributeTooLong", "attributes", map[string]string{"a/b": repeat("v", 257)}, "/attributes/a~1b")
	add("AttributesAreList", "attributes", []string{"roast"})

	for name, amount := range map[string]any{
		"Negative": -1, "Fraction": 12.5, "Text": "1250", "Null": nil, "Absent": drop, "TooLarge": uint64(1 << 63), "Rounded": int64(1 << 53), "Boolean": true,
		"List": []int{1},
	} {
		money := Document{"amount_minor": 1, "currency": "EUR"}.With(Document{"amount_minor": amount})
		add("Amount"+name, "price", money, "/price/amount_minor")
	}
	for name, currency := range map[string]any{
		"Unknown": "XQX", "LowerCase": "eur", "Empty": "", "Null": nil, "Absent": drop, "Number": 978, "TooLong": "EURO", "Padded": " EUR",
	} {
		money := Document{"amount_minor": 1, "currency": "EUR"}.With(Document{"currency": currency})
		add("Currency"+name, "price", money, "/price/currency")
	}
	add("PriceUnknownMember", "price", Document{"amount_minor": 1, "currency": "EUR", "tax": 1}, "/price/tax")
	add("PriceIsText", "price", "12.50 EUR")
	add("PriceIsList", "price", []int{1})
	cases["AmountWithExponent"] = rejected{
		text: func(body string) string { return strings.Replace(body, "1250", "125e1", 1) },
		want: invalid("/price/amount_minor"),
	}

	add("StatusArchived", "status", "archived")
	add("StatusUnknown", "status", "sold-out")
	add("StatusUpperCase", "status", "ACTIVE")

	cases["EveryBrokenMemberIsNamed"] = rejected{
		change: Document{
			"sku": "", "name": "", "category": "?", "price": Document{"amount_minor": -1, "currency": "?"}, "status": "?",
			"tags": []string{""}, "description": repeat("x", 5001),
		},
		want: invalid("/sku", "/name", "/category", "/price/amount_minor", "/price/currency", "/status", "/tags/0", "/description"),
	}
	cases["EveryUnknownMemberIsNamed"] = rejected{change: Document{"a": 1, "b": 2}, want: invalid("/a", "/b")}
	return cases
}

// deep returns lists in lists.
func deep(levels int) any {
	var value any = "x"
	for range levels {
		value = []any{value}
	}
	return value
}
