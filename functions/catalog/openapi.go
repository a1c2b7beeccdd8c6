//go:build openapi

package catalog

import (
	"net/http"
	"strconv"

	"github.com/tienda-dev/tienda/internal/openapi"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/page"
	"github.com/tienda-dev/tienda/shared/problem"
)

// OpenAPI describes the catalogue for the API's document.
func OpenAPI() openapi.Resource {
	return openapi.Resource{
		Name:        "catalog",
		Description: "Products, categories and stock. Everybody reads active products; staff maintain all of them.",
		Schemas:     schemas(),
		Operations: []openapi.Operation{
			{
				Route: ListProductsRoute, Summary: "List active products, newest first",
				Parameters: append(openapi.PageParameters(), categoryParameter(), openapi.Parameter{
					In: openapi.Query, Name: "status", Description: "Staff list the other ones by /v1/staff/products.",
					Rules: openapi.Rules{Enum: []any{string(Active)}, Default: string(Active)},
				}, openapi.IfNoneMatch()),
				Responses: openapi.Cached(openapi.Response{
					Status: http.StatusOK, Description: "A page of products.", Body: page.Page[Product]{}, Example: true,
				}),
				Problems: []*problem.Error{errStatusNotVisible(), page.ErrInvalidCursor},
			},
			{
				Route: SearchProductsRoute, Summary: "Search active products",
				Description: "Finds each product whose name, tags or SKU have, for every word of q, a word that starts with it. " +
					"Letter case and accents do not count. The product whose SKU or name is q comes first. " +
					"Not looked for are words of q after the first " + strconv.Itoa(MaxQueryWords) + ", words of a product after its first " +
					strconv.Itoa(MaxWords) + ", and words of one character, which are words only in scripts without spaces.",
				Parameters: append(openapi.PageParameters(), openapi.Parameter{
					In: openapi.Query, Name: "q", Description: "What to look for: a text with a letter or a number.", Required: true,
					Rules: openapi.Rules{MinLength: 1}, Example: "espresso cup",
				}, openapi.IfNoneMatch()),
				Responses: openapi.Cached(openapi.Response{
					Status: http.StatusOK, Description: "A page of products.", Body: page.Page[Product]{}, Example: true,
				}),
				Problems: []*problem.Error{errQueryTooShort(), page.ErrInvalidCursor},
			},
			{
				Route: GetProductRoute, Summary: "Read an active product",
				Parameters: []openapi.Parameter{productID(), openapi.IfNoneMatch()},
				Responses: openapi.Cached(openapi.Response{
					Status: http.StatusOK, Description: "The product.", Body: Product{}, Example: true,
				}),
				Problems: []*problem.Error{ErrNotFound, ErrGone},
			},
			{
				Route: ListCategoriesRoute, Summary: "List the categories that have active products",
				Parameters: append(openapi.PageParameters(), openapi.IfNoneMatch()),
				Responses: openapi.Cached(openapi.Response{
					Status: http.StatusOK, Description: "A page of categories, by name. A changed product is counted a moment later.", Body: page.Page[Category]{}, Example: true,
				}),
				Problems: []*problem.Error{page.ErrInvalidCursor},
			},
			{
				Route: ListStaffProductsRoute, Summary: "List products of any status, newest first",
				Parameters: append(openapi.PageParameters(), categoryParameter(), openapi.Parameter{
					In: openapi.Query, Name: "status", Description: "The status of the products.",
					Rules: withDefault(openapi.OneOf(Draft, Active, Archived), string(Active)),
				}),
				Responses: []openapi.Response{{
					Status: http.StatusOK, Description: "A page of products.", Body: page.Page[Product]{}, Example: true,
				}},
				Problems: []*problem.Error{page.ErrInvalidCursor},
			},
			{
				Route: GetStaffProductRoute, Summary: "Read a product of any status",
				Parameters: []openapi.Parameter{productID(), openapi.IfNoneMatch()},
				Responses: openapi.Cached(openapi.Response{
					Status: http.StatusOK, Description: "The product.", Body: Product{}, Example: true,
				}),
				Problems: []*problem.Error{ErrNotFound},
			},
			{
				Route: CreateProductRoute, Summary: "Create a product", Body: createProductRequest{},
				Responses: []openapi.Response{{
					Status: http.StatusCreated, Description: "The product.", Body: Product{}, Example: true,
					Headers: []openapi.ResponseHeader{openapi.Location(), openapi.ETag()},
				}},
				Problems: []*problem.Error{ErrSKUExists},
			},
			{
				Route: UpdateProductRoute, Summary: "Change a product",
				Description: "A merge patch (RFC 7396). Null clears description, tags and attributes; a null attribute is removed.",
				Parameters:  []openapi.Parameter{productID(), openapi.IfMatch(true)},
				Body:        updateProductRequest{}, BodyType: api.ContentTypeMergePatch,
				Responses: []openapi.Response{{
					Status: http.StatusOK, Description: "The changed product.", Body: Product{}, Example: true,
					Headers: []openapi.ResponseHeader{openapi.ETag()},
				}},
				Problems: []*problem.Error{ErrNotFound, ErrGone, ErrStale},
			},
			{
				Route: ArchiveProductRoute, Summary: "Take a product out of sale for good",
				Description: "Repeating it is not an error.",
				Parameters:  []openapi.Parameter{productID(), openapi.IfMatch(false)},
				Responses:   []openapi.Response{{Status: http.StatusNoContent, Description: "The product is archived."}},
				Problems:    []*problem.Error{ErrNotFound, ErrStale},
			},
			{
				Route: GetInventoryRoute, Summary: "Read the stock of a product",
				Parameters: []openapi.Parameter{productID()},
				Responses: []openapi.Response{{
					Status: http.StatusOK, Description: "The stock.", Body: Inventory{}, Example: true,
				}},
				Problems: []*problem.Error{ErrNotFound},
			},
			{
				Route: AdjustInventoryRoute, Summary: "Move stock",
				Parameters: []openapi.Parameter{productID()},
				Body:       adjustInventoryRequest{},
				Responses: []openapi.Response{{
					Status: http.StatusCreated, Description: "The entry of the stock ledger.", Body: Adjustment{}, Example: true,
				}},
				Problems: []*problem.Error{ErrNotFound, ErrWouldGoNegative},
			},
		},
	}
}

func withDefault(rules openapi.Rules, value any) openapi.Rules {
	rules.Default = value
	return rules
}

func productID() openapi.Parameter { return openapi.PathID("id", "The product's id.") }

func categoryParameter() openapi.Parameter {
	return openapi.Parameter{
		In: openapi.Query, Name: "category", Description: "Only products of this category.", Rules: categoryRules(), Example: "kitchen",
	}
}

func categoryRules() openapi.Rules {
	return openapi.Rules{MaxLength: maxCategory, Pattern: categoryPattern.String()}
}

func schemas() []openapi.Schema {
	tag, value, attribute := openapi.Name(MaxTag), openapi.Text(MaxAttributeValue), openapi.Name(MaxAttributeName)
	removable := value
	removable.Nullable = true
	sku := openapi.Rules{Pattern: skuPattern.String()}
	description := openapi.Text(MaxDescription)
	tags := openapi.Rules{MaxItems: MaxTags, Items: &tag}
	attributes := openapi.Rules{MaxItems: MaxAttributes, Items: &value, Names: &attribute}
	editable := openapi.OneOf(Draft, Active)
	patch := func(rules openapi.Rules) openapi.Rules { rules.Nullable = true; return rules }
	delta := openapi.Between(-MaxDelta, MaxDelta)
	delta.Not = []any{0}
	return []openapi.Schema{
		{Name: "Product", Value: Product{}, Members: map[string]openapi.Rules{
			"id": openapi.ULID(), "sku": sku, "name": openapi.Name(MaxName), "description": description, "category": categoryRules(),
			"tags": tags, "attributes": attributes, "version": openapi.AtLeast(1),
		}},
		{Name: "ProductStatus", Value: Draft, Members: map[string]openapi.Rules{"": openapi.OneOf(Draft, Active, Archived)}},
		{Name: "ProductPage", Value: page.Page[Product]{}, Members: map[string]openapi.Rules{"data": {MaxItems: page.MaxLimit}}},
		{Name: "Category", Value: Category{}, Members: map[string]openapi.Rules{"name": categoryRules(), "active_products": openapi.AtLeast(1)}},
		{Name: "CategoryPage", Value: page.Page[Category]{}},
		{Name: "Inventory", Value: Inventory{}, Members: map[string]openapi.Rules{
			"product_id": openapi.ULID(), "sku": sku, "available": openapi.AtLeast(0), "reserved": openapi.AtLeast(0),
			"sold": openapi.AtLeast(0), "version": openapi.AtLeast(1),
		}},
		{Name: "Adjustment", Value: Adjustment{}, Members: map[string]openapi.Rules{
			"id": openapi.ULID(), "product_id": openapi.ULID(), "sku": sku, "delta": delta, "reason": openapi.Name(MaxReason),
		}},
		{
			Name: "CreateProduct", Value: createProductRequest{}, Required: []string{"sku", "name", "category", "price"},
			Members: map[string]openapi.Rules{
				"sku": sku, "name": openapi.Name(MaxName), "description": description, "category": categoryRules(),
				"tags": patch(tags), "attributes": patch(attributes), "status": withDefault(editable, string(Active)),
			},
		},
		{
			Name: "UpdateProduct", Value: updateProductRequest{}, Required: []string{},
			Members: map[string]openapi.Rules{
				"name": openapi.Name(MaxName), "description": patch(description), "category": categoryRules(), "tags": patch(tags),
				"attributes": patch(openapi.Rules{Items: &removable, Names: &attribute, MaxItems: 0}), "status": editable,
			},
		},
		{
			Name: "UpdatePrice", Value: pricePatch{}, Required: []string{},
			Members: map[string]openapi.Rules{"amount_minor": openapi.Between(0, money.MaxAmount), "currency": openapi.Currency()},
		},
		{
			Name: "AdjustInventory", Value: adjustInventoryRequest{}, Required: []string{"delta", "reason"},
			Members: map[string]openapi.Rules{"delta": delta, "reason": openapi.Name(MaxReason)},
		},
	}
}
