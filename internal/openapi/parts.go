package openapi

import (
	"net/http"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/page"
)

// ULID returns the rules of an id (https://github.com/ulid/spec).
func ULID() Rules {
	return Rules{Pattern: `^[0-7][0-9A-HJKMNP-TV-Z]{25}$`}
}

// PathID returns the path parameter of an id. A text that is not an id is 404 like an unknown one.
func PathID(name, description string) Parameter {
	return Parameter{
		In: Path, Name: name, Description: description + " A ULID; its letters may be in lower case.",
		Rules: Rules{Pattern: `^[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}$`}, Example: "01JD7Q9W2V5K8N3M6P4R1S0T9X",
	}
}

// AtLeast returns the rules of an integer with no maximum but that of JSON's numbers.
func AtLeast(minimum int64) Rules { return Between(minimum, money.MaxAmount) }

// Currency returns the rules of a currency: an active ISO 4217 code in capitals.
func Currency() Rules {
	var rules Rules
	for _, code := range money.Currencies() {
		rules.Enum = append(rules.Enum, code)
	}
	return rules
}

// Country returns the rules of a country: an assigned ISO 3166-1 code of two capitals.
func Country() Rules {
	var rules Rules
	for _, code := range policy.Countries() {
		rules.Enum = append(rules.Enum, code)
	}
	return rules
}

// PageParameters returns the query parameters of a list.
func PageParameters() []Parameter {
	limit := Between(1, page.MaxLimit)
	limit.Default = page.DefaultLimit
	return []Parameter{
		{In: Query, Name: page.ParamLimit, Description: "The most items of a page. A page may have fewer, also when there are more.", Rules: limit},
		{In: Query, Name: page.ParamCursor, Description: "The next_cursor of the page before. It belongs to the same parameters and caller.", Rules: Rules{MinLength: 1}},
	}
}

const (
	entityTag         = `^"[^"]*"$`
	headerIfMatch     = "If-Match"
	headerIfNoneMatch = "If-None-Match"
)

// ETag returns the header of the entity tag.
func ETag() ResponseHeader {
	return ResponseHeader{Name: "ETag", Description: "The entity tag of the answer, for If-None-Match and If-Match where operations have them.", Rules: Rules{Pattern: entityTag}}
}

// Location returns the header of what was created.
func Location() ResponseHeader {
	return ResponseHeader{
		Name: "Location", Description: "What was created, relative to the URL of the request (RFC 9110 section 10.2.2).",
		Rules: Rules{Format: "uri-reference"},
	}
}

// IfMatch returns the parameter of a conditional change.
func IfMatch(required bool) Parameter {
	return Parameter{
		In: Header, Name: headerIfMatch, Required: required,
		Description: "The entity tag that the change is based on (RFC 9110 section 13.1.1).", Example: `"1"`,
	}
}

// IfNoneMatch returns the parameter of a conditional read.
func IfNoneMatch() Parameter {
	return Parameter{
		In: Header, Name: headerIfNoneMatch, Description: "The entity tag of the answer that the client has (RFC 9110 section 13.1.2).",
	}
}

func cacheControl() ResponseHeader {
	return ResponseHeader{Name: "Cache-Control", Description: "Who may keep the answer and for how long (RFC 9111)."}
}

// Cached returns the answers of a read that has an entity tag: the full one and 304.
func Cached(full Response) []Response {
	full.Headers = append(full.Headers, ETag())
	return []Response{full, {
		Status: http.StatusNotModified, Description: "The client has this version.", Headers: []ResponseHeader{ETag()},
	}}
}
