package suite

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
)

// Product is a product as clients read it.
type Product struct {
	ID          string            `json:"id"`
	SKU         string            `json:"sku"`
	Name        string            `json:"name"`
	Description string            `json:"description"`
	Category    string            `json:"category"`
	Tags        []string          `json:"tags"`
	Attributes  map[string]string `json:"attributes"`
	Price       Price             `json:"price"`
	Status      string            `json:"status"`
	Version     int64             `json:"version"`
	CreatedAt   string            `json:"created_at"`
	UpdatedAt   string            `json:"updated_at"`
}

// Price is an amount of money in minor units.
type Price struct {
	AmountMinor int64  `json:"amount_minor"`
	Currency    string `json:"currency"`
}

func (p Product) path() string { return "/v1/products/" + p.ID }

// staffPath is where staff reads the product, whatever its status.
func (p Product) staffPath() string { return "/v1/staff/products/" + p.ID }

func (p Product) etag() string { return fmt.Sprintf(`"%d"`, p.Version) }

// Listing is a page of products.
type Listing struct {
	Data       []Product `json:"data"`
	HasMore    bool      `json:"has_more"`
	NextCursor string    `json:"next_cursor"`
}

func (l Listing) ids() []string {
	ids := []string{}
	for _, p := range l.Data {
		ids = append(ids, p.ID)
	}
	return ids
}

// Document is a request body: a member's value is anything that encoding/json writes.
type Document map[string]any

// With returns a copy with members added or replaced; drop leaves one out.
func (d Document) With(changes Document) Document {
	d = maps.Clone(d)
	for name, value := range changes {
		if value == drop {
			delete(d, name)
		} else {
			d[name] = value
		}
	}
	return d
}

// drop as a member's value removes the member.
const drop = absent("drop")

type absent string

func (d Document) String() string {
	text, err := json.Marshal(map[string]any(d))
	if err != nil {
		panic(err) // a fixture that is not JSON
	}
	return string(text)
}

// NewProduct returns a body that creates a product with only the required members, in a new
// category.
func NewProduct() Document {
	name := unique()
	return Document{
		"sku": "SKU-" + name, "name": "Blend " + name, "category": "c-" + name,
		"price": Document{"amount_minor": 1250, "currency": "EUR"},
	}
}

// Create creates a product and returns it.
func (c *Caller) Create(t TB, body Document) Product {
	t.Helper()
	var p Product
	c.Do(t, c.Creation(t, body.String())).want(t, http.StatusCreated).decode(t, &p)
	return p
}

// Creation is the request that Create sends.
func (c *Caller) Creation(t TB, body string) Request {
	t.Helper()
	return Request{Method: http.MethodPost, Path: "/v1/products", Token: c.As(t, roleCatalog), Body: body}
}

// Get reads a product as staff.
func (c *Caller) Get(t TB, id string) Product {
	t.Helper()
	var p Product
	c.Do(t, Request{Method: http.MethodGet, Path: Product{ID: id}.staffPath(), Token: c.As(t, roleCatalog)}).
		want(t, http.StatusOK).decode(t, &p)
	return p
}

// patch changes a product from its version on and returns the next one.
func (c *Caller) patch(t TB, p Product, change Document) Product {
	t.Helper()
	var next Product
	c.Do(t, c.Patching(t, p, change.String())).want(t, http.StatusOK).decode(t, &next)
	return next
}

// Patching is the request that patch sends.
func (c *Caller) Patching(t TB, p Product, body string) Request {
	t.Helper()
	return Request{
		Method: http.MethodPatch, Path: p.path(), Token: c.As(t, roleCatalog), Body: body,
		Header: map[string]string{headerIfMatch: p.etag()},
	}
}

// archive archives a product.
func (c *Caller) archive(t TB, p Product) {
	t.Helper()
	c.Do(t, Request{Method: http.MethodDelete, Path: p.path(), Token: c.As(t, roleCatalog)}).want(t, http.StatusNoContent)
}

// List reads one page as everybody can. The parameters are names and values in turn.
func (c *Caller) List(t TB, parameters ...string) Listing {
	t.Helper()
	return c.page(t, "", "/v1/products", parameters...)
}

// StaffList reads one page of the products of a status as staff.
func (c *Caller) StaffList(t TB, status string, parameters ...string) Listing {
	t.Helper()
	return c.page(t, c.As(t, roleCatalog), "/v1/staff/products", append(parameters, "status", status)...)
}

// page reads one page of a list.
func (c *Caller) page(t TB, token, path string, parameters ...string) Listing {
	t.Helper()
	a := c.Do(t, Request{Method: http.MethodGet, Path: path + query(parameters...), Token: token}).want(t, http.StatusOK)
	var l Listing
	a.decode(t, &l)
	if l.Data == nil {
		t.Errorf("data is null: %s", a.Body)
	}
	members := []string{"data", "has_more"}
	if l.HasMore {
		members = append(members, "next_cursor")
	}
	a.wantMembers(t, members...)
	return l
}

// walk reads a list to its end and returns the pages.
func (c *Caller) walk(t TB, token, path string, parameters ...string) []Listing {
	t.Helper()
	var pages []Listing
	next := parameters
	for range 200 {
		l := c.page(t, token, path, next...)
		pages = append(pages, l)
		if !l.HasMore {
			return pages
		}
		next = append(append([]string{}, parameters...), "cursor", l.NextCursor)
	}
	t.Fatalf("GET %s%s has no end", path, query(parameters...))
	return nil
}

// query returns "?name=value&…" for names and values in turn, and nothing for none.
func query(parameters ...string) string {
	values := url.Values{}
	for i := 0; i < len(parameters); i += 2 {
		values.Add(parameters[i], parameters[i+1])
	}
	if len(values) == 0 {
		return ""
	}
	return "?" + values.Encode()
}
