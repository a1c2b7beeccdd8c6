package orders

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/page"
	"github.com/tienda-dev/tienda/shared/problem"
)

type orderLister interface {
	ListOf(ctx context.Context, customer string, limit int, after []byte) ([]Order, []byte, error)
	List(ctx context.Context, status Status, day time.Time, limit int, after []byte) ([]Order, []byte, error)
}

// The query parameters of a list of all customers' orders.
const (
	paramStatus = "status"
	paramDay    = "day"
)

// errNotStaff: a customer asks for the orders of all, with these parameters.
func errNotStaff(parameters ...string) *problem.Error {
	fields := make([]problem.FieldError, len(parameters))
	for i, name := range parameters {
		fields[i] = problem.FieldError{Pointer: name, Detail: "is for staff"}
	}
	return problem.New(problem.Forbidden, "orders_not_visible", "You may list your own orders only.").WithFields(fields...)
}

// ListOrders answers 200 with a page of the caller's orders, newest first. With the query parameters status and day
// (yyyy-mm-dd, of UTC) staff list the orders of all customers in that status that were made on that day. More
// parameters: limit (1 to 100, default 20) and cursor.
func ListOrders(orders orderLister, cursors page.Cursors) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		query, err := page.ParseQuery(r, paramStatus, paramDay)
		if err != nil {
			return err
		}
		reader := readerOf(r)
		read := func(limit int, after []byte) ([]Order, []byte, error) {
			return orders.ListOf(r.Context(), reader.ID, limit, after)
		}
		binding := page.Binding{Route: ListOrdersRoute.Name, Principal: reader.ID}
		ofAll := slices.DeleteFunc([]string{paramStatus, paramDay}, func(name string) bool { return !query.Has(name) })
		if len(ofAll) > 0 {
			if !reader.Staff {
				return errNotStaff(ofAll...)
			}
			status, day, err := parseFilter(query)
			if err != nil {
				return err
			}
			read = func(limit int, after []byte) ([]Order, []byte, error) {
				return orders.List(r.Context(), status, day, limit, after)
			}
			binding.Filter = string(status) + "\n" + day.Format(time.DateOnly)
		}
		list, err := page.Read(query, cursors.Get(r.Context()), binding, read)
		if err != nil {
			return err
		}
		return api.Write(w, http.StatusOK, list)
	}
}

// parseFilter returns the status and the day of a list of all customers' orders, which are both required.
func parseFilter(query url.Values) (Status, time.Time, error) {
	status := Status(query.Get(paramStatus))
	if !slices.Contains(Statuses(), status) {
		return "", time.Time{}, problem.Parameter(paramStatus, "must be the status of an order")
	}
	day, err := time.Parse(time.DateOnly, query.Get(paramDay))
	if err != nil {
		return "", time.Time{}, problem.Parameter(paramDay, "must be a day, such as 2026-03-01")
	}
	return status, day, nil
}
