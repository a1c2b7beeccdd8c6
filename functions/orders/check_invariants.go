package orders

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-lambda-go/events"
	"go.uber.org/zap"

	"github.com/tienda-dev/tienda/shared/batch"
	"github.com/tienda-dev/tienda/shared/logging"
)

// Checked is the answer of check-invariants when nothing is wrong.
type Checked struct {
	// Violations is how many rules are broken.
	Violations int `json:"violations"`
}

type auditor interface {
	Invariants(ctx context.Context) ([]Violation, error)
}

// CheckInvariants returns the function that a schedule invokes each night. It logs every broken rule with its subject,
// and then fails, which raises an alarm. It also fails if it could not check all of them. It repairs nothing.
func CheckInvariants(orders auditor) func(context.Context, events.EventBridgeEvent) (Checked, error) {
	return func(ctx context.Context, _ events.EventBridgeEvent) (Checked, error) {
		sweep, cancel := batch.Limit(ctx)
		defer cancel()
		found, err := orders.Invariants(sweep)
		for _, v := range found {
			logging.From(ctx).Error("invariant is broken", zap.String("rule", v.Rule), zap.String("subject", v.Subject), zap.String("detail", v.Detail))
		}
		logging.EntryFrom(ctx).Add(zap.Int("violations", len(found)))
		if len(found) > 0 {
			err = errors.Join(fmt.Errorf("%d are broken", len(found)), err)
		}
		if err != nil {
			return Checked{len(found)}, fmt.Errorf("check invariants: %w", err)
		}
		return Checked{}, nil
	}
}
