//go:build openapi

package orders

import (
	"net/http"
	"strconv"

	"github.com/tienda-dev/tienda/internal/openapi"
	"github.com/tienda-dev/tienda/shared/page"
	"github.com/tienda-dev/tienda/shared/problem"
)

// OpenAPI describes the orders for the API's document.
func OpenAPI() openapi.Resource {
	return openapi.Resource{
		Name:        "orders",
		Description: "Orders hold their stock from the moment they are made. A user sees own orders; staff who help customers see all.",
		Schemas:     schemas(),
		Operations: []openapi.Operation{
			{
				Route: CreateOrderRoute, Summary: "Order products, or what a quote has",
				Description: "It has either lines and ship_to, or quote_id; then ship_to may give another name and street, and must have the quote's country, region and postal code. " +
					"The stock is held for " + strconv.Itoa(int(HoldFor.Minutes())) + " minutes: the order expires unless it is paid until then. " +
					"With expected_total an order of another total is refused; the answer has the new one as its member total. " +
					"A total of 0 is refused, because no payment can authorise it, and so is one that does not end in 0 in a currency with three decimals.",
				Body: createOrderRequest{},
				Responses: []openapi.Response{{
					Status: http.StatusCreated, Description: "The order.", Body: Order{}, Example: true, Headers: []openapi.ResponseHeader{openapi.Location()},
				}},
				Problems: append(offerProblems(), ErrOutOfStock, ErrPriceChanged),
			},
			{
				Route: ListOrdersRoute, Summary: "List orders, newest first",
				Description: "The caller's own. With status and day, staff who help customers list those of all customers.",
				Parameters: append(openapi.PageParameters(), openapi.Parameter{
					In: openapi.Query, Name: paramStatus, Description: "For staff: the status of the orders. Needs day.", Rules: openapi.OneOf(Statuses()...),
				}, openapi.Parameter{
					In: openapi.Query, Name: paramDay, Description: "For staff: the day of UTC on which the orders were made. Needs status.",
					Rules: openapi.Rules{Pattern: `^\d{4}-\d\d-\d\d$`}, Example: "2026-11-24",
				}),
				Responses: []openapi.Response{{Status: http.StatusOK, Description: "A page of orders.", Body: page.Page[Order]{}, Example: true}},
				Problems:  []*problem.Error{errNotStaff(paramStatus), page.ErrInvalidCursor},
			},
			{
				Route: GetOrderRoute, Summary: "Read an order",
				Parameters: []openapi.Parameter{orderID(), openapi.IfNoneMatch()},
				Responses:  openapi.Cached(openapi.Response{Status: http.StatusOK, Description: "The order.", Body: Order{}, Example: true}),
				Problems:   []*problem.Error{ErrNotFound},
			},
			{
				Route: ListOrderEventsRoute, Summary: "List what happened to an order, oldest first",
				Description: "The events of the order, of its payments and of its shipments.",
				Parameters:  append(openapi.PageParameters(), orderID()),
				Responses:   []openapi.Response{{Status: http.StatusOK, Description: "A page of events.", Body: page.Page[Entry]{}, Example: true}},
				Problems:    []*problem.Error{ErrNotFound, page.ErrInvalidCursor},
			},
			{
				Route: CancelOrderRoute, Summary: "Cancel an order of which nothing is shipped",
				Description: "Its stock is available again, and money that was paid goes back. Customers cancel own orders, and support those of all.",
				Parameters:  []openapi.Parameter{orderID()}, Body: cancelOrderRequest{},
				Responses: []openapi.Response{
					{Status: http.StatusOK, Description: "The cancelled order.", Body: Order{}, Example: true},
					{Status: http.StatusAccepted, Description: "The cancelled order, whose money goes back later: read its payment_status again.", Body: Order{}},
				},
				Problems: []*problem.Error{ErrNotFound, ErrInvalidTransition, ErrChanged},
			},
		},
	}
}

// offerProblems are the errors of the prices.
func offerProblems() []*problem.Error {
	return []*problem.Error{
		problem.New(problem.NotFound, "quote_not_found", "There is no such quote."),
		problem.New(problem.Gone, "quote_expired", "The quote has expired. Ask for a new one."),
		problem.New(problem.Conflict, "quote_used", "The quote was ordered already."),
		problem.New(problem.Invalid, "code_invalid", "A discount code cannot be used for this order."),
		problem.New(problem.Invalid, "code_used_up", "A discount code was used as often as it may be."),
	}
}

func orderID() openapi.Parameter { return openapi.PathID("id", "The order's id.") }

func nullable(rules openapi.Rules) openapi.Rules {
	rules.Nullable = true
	return rules
}

func schemas() []openapi.Schema {
	sku := openapi.Rules{Pattern: skuPattern.String()}
	quantity := openapi.Between(1, MaxQuantity)
	return []openapi.Schema{
		{Name: "Order", Value: Order{}, Members: map[string]openapi.Rules{
			"id": openapi.ULID(), "status": openapi.OneOf(Statuses()...), "payment_status": openapi.OneOf(PaymentStatuses()...),
			"fulfilment_status": openapi.OneOf(FulfilmentStatuses()...), "lines": {MinItems: 1, MaxItems: MaxLines}, "version": openapi.AtLeast(1),
		}},
		{Name: "OrderLine", Value: Line{}, Members: map[string]openapi.Rules{
			"sku": sku, "product_id": openapi.ULID(), "quantity": quantity,
		}},
		{Name: "OrderPage", Value: page.Page[Order]{}, Members: map[string]openapi.Rules{"data": {MaxItems: page.MaxLimit}}},
		{
			Name: "CreateOrder", Value: createOrderRequest{}, Required: []string{},
			Members: map[string]openapi.Rules{
				"quote_id": nullable(openapi.PathID("", "").Rules), "lines": nullable(openapi.Rules{MinItems: 1, MaxItems: MaxLines}),
				"discount_codes": nullable(openapi.Rules{MaxItems: MaxCodes}), "ship_to": {Nullable: true}, "expected_total": {Nullable: true},
			},
		},
		{
			Name: "OrderItem", Value: Item{}, Required: []string{"sku", "quantity"},
			Members: map[string]openapi.Rules{"sku": sku, "quantity": quantity},
		},
		{
			Name: "CancelOrder", Value: cancelOrderRequest{}, Required: []string{},
			Members: map[string]openapi.Rules{"reason": nullable(openapi.OneOf(Reasons()...))},
		},
		{Name: "OrderEvent", Value: Entry{}, Members: map[string]openapi.Rules{"id": openapi.ULID()}},
		{Name: "OrderEventData", Value: Happening{}, Members: map[string]openapi.Rules{
			"order_id": openapi.ULID(), "version": openapi.AtLeast(1), "currency": openapi.Currency(), "pieces": openapi.AtLeast(1),
			"reason": openapi.OneOf(Reasons()...), "by": openapi.OneOf(ByCustomer, ByStaff),
			"payment_id": openapi.ULID(), "refund_id": openapi.ULID(), "shipment_id": openapi.ULID(), "lines": {MaxItems: MaxLines},
		}},
		{Name: "OrderEventPage", Value: page.Page[Entry]{}, Members: map[string]openapi.Rules{"data": {MaxItems: page.MaxLimit}}},
	}
}
