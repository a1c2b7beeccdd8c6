package app

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/tienda-dev/tienda/shared/api"
)

// typed returns the Lambda handler of f. An In that reads itself and an Out that writes itself do so at once: encoding/json
// checks every byte before and after them. lambda.NewHandler is not used: it calls f by reflection, it returns a buffer
// that another invocation may already use, and StartWithOptions ignores the options of what it returns.
func typed[In, Out any](f func(context.Context, In) (Out, error)) lambda.Handler {
	return bytesHandler(func(ctx context.Context, event []byte) ([]byte, error) {
		var in In
		if err := read(event, &in); err != nil {
			return nil, err
		}
		out, err := f(ctx, in)
		if err != nil {
			return nil, err
		}
		return write(out)
	})
}

func read(event []byte, in any) error {
	if own, ok := in.(json.Unmarshaler); ok {
		return own.UnmarshalJSON(event)
	}
	return json.Unmarshal(event, in)
}

// write encodes as aws-lambda-go does: without escapes for HTML.
func write(out any) ([]byte, error) {
	if own, ok := out.(json.Marshaler); ok {
		return own.MarshalJSON()
	}
	text, err := api.Encode(out)
	return bytes.TrimSuffix(text, []byte("\n")), err
}

// bytesHandler implements lambda.Handler.
type bytesHandler func(ctx context.Context, event []byte) ([]byte, error)

// Invoke implements lambda.Handler.
func (h bytesHandler) Invoke(ctx context.Context, event []byte) ([]byte, error) { return h(ctx, event) }
