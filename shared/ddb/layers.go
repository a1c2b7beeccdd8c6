package ddb

import (
	"context"
	"errors"
	"slices"
	"sync"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"
	"github.com/aws/smithy-go/tracing"
)

// operation is one of DynamoDB's.
type operation struct {
	name   string
	target string
	// sdkValues has the values that the SDK adds to the context of every call.
	sdkValues context.Context //nolint:containedctx // shared by all calls
	// build builds the SDK's layers of one call. A call changes them.
	build func() (*middleware.Stack, error)
	// initialize returns the middlewares of the step Initialize, which see an input before it is written, and the result.
	// All calls share them. It returns nil if only the SDK can run them.
	initialize func() []middleware.InitializeMiddleware
}

// errBuilt ends a call whose layers are built, before anything is sent.
var errBuilt = errors.New("ddb: the layers are built")

func newOperation[In, Out any](l *lean, name string, call func(context.Context, In, ...func(*dynamodb.Options)) (Out, error), empty In) *operation {
	values := middleware.WithServiceID(context.Background(), dynamodb.ServiceID)
	values = middleware.WithOperationName(values, name)
	values = awsmiddleware.SetServiceID(values, dynamodb.ServiceID)
	values = awsmiddleware.SetRegion(values, l.region)
	values = awsmiddleware.SetOperationName(values, name)
	values = tracing.WithOperationTracer(values, (tracing.NopTracerProvider{}).Tracer(""))
	op := &operation{name: name, target: "DynamoDB_20120810." + name, sdkValues: values}
	op.build = func() (*middleware.Stack, error) {
		var built *middleware.Stack
		_, err := call(context.Background(), empty, func(o *dynamodb.Options) {
			o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
				built = stack
				return errBuilt
			})
		})
		if !errors.Is(err, errBuilt) {
			return nil, err
		}
		return built, nil
	}
	op.initialize = sync.OnceValue(op.buildInitialize)
	return op
}

func (o *operation) buildInitialize() []middleware.InitializeMiddleware {
	stack, err := o.build()
	if err != nil {
		return nil
	}
	ids := stack.Initialize.List()
	all := make([]middleware.InitializeMiddleware, len(ids))
	for i, id := range ids {
		if slices.Contains(ids[:i], id) {
			return nil
		}
		all[i], _ = stack.Initialize.Get(id)
	}
	return all
}

// callContext is a call's context with the SDK's values.
type callContext struct {
	context.Context //nolint:containedctx // it is a context

	sdkValues context.Context //nolint:containedctx // shared by all calls
}

func (c callContext) Value(key any) any {
	if v := c.sdkValues.Value(key); v != nil {
		return v
	}
	return c.Context.Value(key)
}

// layer runs the remaining middlewares of the step Initialize, and then sends the call.
type layer struct {
	*call

	remaining []middleware.InitializeMiddleware
}

func (l *layer) HandleInitialize(ctx context.Context, in middleware.InitializeInput) (middleware.InitializeOutput, middleware.Metadata, error) {
	if len(l.remaining) == 0 {
		result, metadata, err := l.handle(ctx, in.Parameters)
		return middleware.InitializeOutput{Result: result}, metadata, err
	}
	return l.remaining[0].HandleInitialize(ctx, in, &layer{call: l.call, remaining: l.remaining[1:]})
}
