package suite

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// orderPage is a page of orders.
type orderPage struct {
	Data       []Order `json:"data"`
	HasMore    bool    `json:"has_more"`
	NextCursor string  `json:"next_cursor"`
}

func (p orderPage) ids() []string {
	ids := []string{}
	for _, o := range p.Data {
		ids = append(ids, o.ID)
	}
	return ids
}

func (c *Caller) listOrders(t TB, token, query string) orderPage {
	t.Helper()
	var page orderPage
	c.Do(t, Request{Method: http.MethodGet, Path: "/v1/orders" + query, Token: token}).want(t, http.StatusOK).decode(t, &page)
	return page
}

func (c *Caller) testOrderLists(t *testing.T) {
	cup, buyer := c.onSale(t, 10), c.Buyer(t)
	var mine []string
	for range 3 {
		mine = append(mine, c.Order(t, buyer, Wanting(1, cup)).ID)
	}
	slices.Sort(mine)
	slices.Reverse(mine)
	t.Run("OwnNewestFirst", func(t *testing.T) {
		t.Parallel()
		first := c.listOrders(t, buyer, "?limit=2")
		second := c.listOrders(t, buyer, query("limit", "2", "cursor", first.NextCursor))
		if diff := cmp.Diff(mine, append(first.ids(), second.ids()...)); diff != "" || !first.HasMore || second.HasMore {
			t.Errorf("orders (-want +got):\n%s", diff)
		}
		other := Request{Method: http.MethodGet, Path: "/v1/orders" + query("cursor", first.NextCursor), Token: c.Buyer(t)}
		c.Do(t, other).wantProblem(t, refused(http.StatusBadRequest, "invalid_cursor", "cursor"))
		if page := c.listOrders(t, c.Buyer(t), ""); len(page.Data) != 0 {
			t.Errorf("a customer without orders sees %v", page.ids())
		}
	})
	t.Run("AllForStaff", func(t *testing.T) {
		t.Parallel()
		today := query("status", "pending_payment", "day", time.Now().UTC().Format(time.DateOnly), "limit", "100")
		for _, role := range []string{roleSupport, roleFulfilment, roleAdmin} {
			if ids := c.listOrders(t, c.As(t, role), today).ids(); len(ids) == 0 || !slices.IsSortedFunc(ids, func(a, b string) int { return strings.Compare(b, a) }) {
				t.Errorf("%s sees %v", role, ids)
			}
		}
		for _, role := range []string{roleCustomer, roleCatalog, roleService} {
			c.Do(t, Request{Method: http.MethodGet, Path: "/v1/orders" + today, Token: c.As(t, role)}).
				wantProblem(t, refused(http.StatusForbidden, "orders_not_visible", "status", "day"))
		}
	})
	t.Run("Refused", func(t *testing.T) {
		t.Parallel()
		for parameters, name := range map[string]string{
			"?limit=0": "limit", "?status=pending_payment": "day", "?day=2026-03-01": "status", "?status=paid&day=2026-03-01": "status",
			"?status=shipped&day=2026-02-30": "day", "?status=shipped&day=1": "day", "?status=shipped&day=2026-03-01&day=2026-03-02": "day",
		} {
			c.Do(t, Request{Method: http.MethodGet, Path: "/v1/orders" + parameters, Token: c.As(t, roleSupport)}).
				wantProblem(t, refused(http.StatusBadRequest, "invalid_parameter", name))
		}
	})
}

func (c *Caller) testCancelOrder(t *testing.T) {
	t.Run("ReturnsTheStockOnce", func(t *testing.T) {
		t.Parallel()
		cup, buyer := c.onSale(t, 5), c.Buyer(t)
		o := c.Order(t, buyer, Wanting(2, cup))
		r := Cancelling(buyer, o.ID, `{"reason":"mistake"}`)
		first := c.Do(t, r).want(t, http.StatusOK)
		var got Order
		first.decode(t, &got)
		want := o
		want.Status, want.Version, want.UpdatedAt = "cancelled", 2, got.UpdatedAt
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
		again := c.Do(t, r).want(t, http.StatusOK)
		again.wantHeader(t, headerReplayed, "true")
		if !bytes.Equal(again.Body, first.Body) {
			t.Errorf("got %s, want %s", again.Body, first.Body)
		}
		c.Do(t, Cancelling(buyer, o.ID, `{}`)).wantProblem(t, refused(http.StatusConflict, "invalid_transition"))
		c.wantStock(t, cup, 5, 0, 0)
		if diff := cmp.Diff([]string{"order.created", "order.cancelled"}, c.timeline(t, buyer, o.ID)); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
	t.Run("ByStaff", func(t *testing.T) {
		t.Parallel()
		o := c.Order(t, c.Buyer(t), Wanting(1, c.onSale(t, 1)))
		c.Do(t, Cancelling(c.As(t, roleSupport), o.ID, `{"reason":"fraud"}`)).want(t, http.StatusOK)
	})
	t.Run("Refused", func(t *testing.T) {
		t.Parallel()
		o := c.Order(t, c.Buyer(t), Wanting(1, c.onSale(t, 1)))
		c.Do(t, Cancelling(c.As(t, roleSupport), o.ID, `{"reason":"because"}`)).wantProblem(t, invalid("/reason"))
		c.Do(t, Cancelling(c.As(t, roleSupport), o.ID, `{"by":"me"}`)).wantProblem(t, invalid("/by"))
		without := Cancelling(c.As(t, roleSupport), o.ID, `{}`)
		without.Header = nil
		c.Do(t, without).wantProblem(t, refused(http.StatusBadRequest, "idempotency_key_required", headerKey))
	})
}

// An order of somebody else answers as one that does not exist.
func (c *Caller) testForeignOrders(t *testing.T) {
	cup, owner := c.onSale(t, 5), c.Buyer(t)
	o := c.Order(t, owner, Wanting(1, cup))
	for role, reads := range map[string]bool{
		roleCustomer: false, roleCatalog: false, roleService: false, roleSupport: true, roleFulfilment: true, roleAdmin: true,
	} {
		t.Run(role, func(t *testing.T) {
			token := c.As(t, role)
			for _, part := range []string{"", "/events"} {
				read := func(id string) Answer {
					return c.Do(t, Request{Method: http.MethodGet, Path: "/v1/orders/" + id + part, Token: token})
				}
				if reads {
					read(o.ID).want(t, http.StatusOK)
					continue
				}
				wantSameRefusal(t, read(o.ID), read(nobodysID))
			}
			if role != roleSupport {
				wantSameRefusal(t, c.Do(t, Cancelling(token, o.ID, `{}`)), c.Do(t, Cancelling(token, nobodysID, `{}`)))
			}
		})
	}
	for _, id := range []string{nobodysID, "x", repeat("0", 27)} {
		for _, part := range []string{"", "/events"} {
			c.Do(t, Request{Method: http.MethodGet, Path: "/v1/orders/" + id + part, Token: owner}).
				wantProblem(t, refused(http.StatusNotFound, "order_not_found"))
		}
		c.Do(t, Cancelling(owner, id, `{}`)).wantProblem(t, refused(http.StatusNotFound, "order_not_found"))
	}
	if diff := cmp.Diff(o, c.ReadOrder(t, owner, o.ID)); diff != "" {
		t.Errorf("a foreign request changed the order (-before +after):\n%s", diff)
	}
	c.wantStock(t, cup, 4, 1, 0)
}

// wantSameRefusal compares two answers of 404 in everything but their request ids.
func wantSameRefusal(t TB, foreign, random Answer) {
	t.Helper()
	without := func(a Answer) Document {
		var body Document
		a.want(t, http.StatusNotFound).decode(t, &body)
		delete(body, "request_id")
		return body
	}
	if diff := cmp.Diff(without(random), without(foreign)); diff != "" {
		t.Errorf("a foreign order answers otherwise than an unknown one (-unknown +foreign):\n%s", diff)
	}
}
