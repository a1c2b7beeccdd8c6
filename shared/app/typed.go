package app

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-lambda-go/lambda"
)

// typed returns the Lambda handler of f. An In that reads itself and an Out that writes itself do so at once:
// lambda.NewHandler calls f by reflection, and encoding/json checks every byte before and after them.
func typed[In, Out any](f func(context.Context, In) (Out, error)) lambda.Handler {
	_, reads := any(new(In)).(json.Unmarshaler)
	_, writes := any(*new(Out)).(json.Marshaler)
	if !reads || !writes {
		return lambda.NewHandler(f)
	}
	return bytesHandler(func(ctx context.Context, event []byte) ([]byte, error) {
		var in In
		if err := any(&in).(json.Unmarshaler).UnmarshalJSON(event); err != nil { //nolint:forcetypeassert // checked above
			return nil, err
		}
		out, err := f(ctx, in)
		if err != nil {
			return nil, err
		}
		return any(out).(json.Marshaler).MarshalJSON() //nolint:forcetypeassert // checked above
	})
}

// bytesHandler implements lambda.Handler.
type bytesHandler func(ctx context.Context, event []byte) ([]byte, error)

// Invoke implements lambda.Handler.
func (h bytesHandler) Invoke(ctx context.Context, event []byte) ([]byte, error) { return h(ctx, event) }
