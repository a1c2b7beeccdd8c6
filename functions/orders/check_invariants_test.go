package orders_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tienda-dev/tienda/functions/orders"
	"github.com/tienda-dev/tienda/shared/logging"
)

type violations struct {
	found []orders.Violation
	err   error
}

func (v violations) Invariants(context.Context) ([]orders.Violation, error) {
	return v.found, v.err
}

func TestCheckInvariantsFailsWhenOneIsBroken(t *testing.T) {
	t.Parallel()
	broken := []orders.Violation{{Subject: "order"}}
	for name, tt := range map[string]struct {
		in    violations
		want  int
		fails bool
	}{
		"Fine":   {violations{}, 0, false},
		"Broken": {violations{found: broken}, 1, true},
		"Away":   {violations{err: errStore}, 0, true},
		"Both":   {violations{found: broken, err: errStore}, 1, true},
	} {
		core, logs := observer.New(zap.ErrorLevel)
		got, err := orders.CheckInvariants(tt.in)(logging.With(t.Context(), zap.New(core)), events.EventBridgeEvent{})
		if got.Violations != tt.want || (err != nil) != tt.fails || tt.in.err != nil && !errors.Is(err, tt.in.err) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
		if n := logs.FilterField(zap.String("subject", "order")).Len(); n != tt.want {
			t.Errorf("%s: %d violations are logged, want %d", name, n, tt.want)
		}
	}
}
