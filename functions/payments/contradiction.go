package payments

import (
	"context"
	"errors"

	"go.uber.org/zap"

	"github.com/tienda-dev/tienda/shared/logging"
)

// The rules that a report of the provider can break.
const (
	ruleReference       = "reference"
	ruleCurrency        = "currency"
	ruleAmount          = "amount"
	ruleCaptured        = "captured_and_capturable"
	ruleRefundReference = "refund_reference"
	ruleRefundAmount    = "refund_amount"
	ruleRefundUnknown   = "refund_unknown"
	ruleState           = "state"
	ruleRefunded        = "refunded"
)

// contradictionError is a report about another payment or another amount. Nothing of it is believed.
type contradictionError struct{ rule string }

func (e *contradictionError) Error() string {
	return "payments: the provider's report contradicts the payment: " + e.rule
}

func contradicts(rule string) error { return &contradictionError{rule} }

// contradicted records a notification that contradicts its payment, so that a repetition is known, and logs it. The payment
// stays as it is. Another error is returned as it is.
func (s *Service) contradicted(ctx context.Context, p Payment, n Notification, err error) error {
	broken, ok := errors.AsType[*contradictionError](err)
	if !ok {
		return err
	}
	if err := s.store.Apply(ctx, Change{Before: p, After: p, Notification: &n, At: s.now()}); err != nil {
		return err
	}
	logging.From(ctx).Error("notification contradicts the payment", zap.String("rule", broken.rule), zap.String("payment_id", p.ID))
	return nil
}
