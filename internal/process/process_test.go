package process_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/tienda-dev/tienda/internal/process"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func TestAProcessHasOneHTTPClient(t *testing.T) {
	t.Parallel()
	route := api.Route{Name: "test", Method: http.MethodGet, Path: "/test", Auth: api.Public, Rate: api.Unlimited}
	_, err := process.Handler(t.Context(), route, func(ctx context.Context, _ *app.Setup) (api.Handler, error) {
		first, firstErr := process.HTTP(ctx)
		second, secondErr := process.HTTP(ctx)
		if firstErr != nil || secondErr != nil || first == nil || first != second {
			t.Errorf("got %p, %v and %p, %v; want the same client twice", first, firstErr, second, secondErr)
		}
		return func(http.ResponseWriter, *http.Request) error { return nil }, nil
	}, nil)
	if err != nil {
		t.Error(err)
	}
	if _, err := process.HTTP(t.Context()); err == nil {
		t.Error("outside a build: no error")
	}
}
