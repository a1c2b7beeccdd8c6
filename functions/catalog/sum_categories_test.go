package catalog_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/tienda-dev/tienda/functions/catalog"
)

type summer func(ctx context.Context) (int, error)

func (f summer) SumCategories(ctx context.Context) (int, error) { return f(ctx) }

func TestSumCategoriesAnswersWhatItHasSummed(t *testing.T) {
	t.Parallel()
	failure := errors.New("the store is away")
	for name, want := range map[string]error{"Done": nil, "Failed": failure} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sum := catalog.SumCategories(summer(func(context.Context) (int, error) { return 3, want }))
			got, err := sum(t.Context(), events.EventBridgeEvent{})
			if got != (catalog.Summed{Changes: 3}) || !errors.Is(err, want) {
				t.Errorf("got %+v, %v; want 3 changes, %v", got, err, want)
			}
		})
	}
}
