package ddb

import (
	"context"
	"fmt"
	"slices"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"
	"github.com/aws/smithy-go/tracing"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// operation is one of DynamoDB's.
type operation struct {
	name   string
	target string
	// sdkValues has the values that the SDK adds to the context of every call.
	sdkValues context.Context //nolint:containedctx // shared by all calls
	// initialize are the middlewares of the step Initialize, which see an input before it is written, and the result. All
	// calls share them.
	initialize []middleware.InitializeMiddleware
}

// newOperation returns an error if the options add middlewares to another step than Initialize: the client would not run
// them.
func newOperation(name string, o dynamodb.Options) (*operation, error) {
	values := middleware.WithServiceID(context.Background(), dynamodb.ServiceID)
	values = middleware.WithOperationName(values, name)
	values = awsmiddleware.SetServiceID(values, dynamodb.ServiceID)
	values = awsmiddleware.SetRegion(values, o.Region)
	values = awsmiddleware.SetOperationName(values, name)
	values = tracing.WithOperationTracer(values, (tracing.NopTracerProvider{}).Tracer(""))
	op := &operation{name: name, target: "DynamoDB_20120810." + name, sdkValues: values}
	stack := middleware.NewStack(name, smithyhttp.NewStackRequest)
	for _, add := range o.APIOptions {
		if err := add(stack); err != nil {
			return nil, fmt.Errorf("ddb: APIOptions: %w", err)
		}
	}
	if others := slices.Concat(stack.Serialize.List(), stack.Build.List(), stack.Finalize.List(), stack.Deserialize.List()); len(others) > 0 {
		return nil, fmt.Errorf("ddb: APIOptions add middlewares to other steps than Initialize: %v", others)
	}
	for _, id := range stack.Initialize.List() {
		m, _ := stack.Initialize.Get(id)
		op.initialize = append(op.initialize, m)
	}
	return op, nil
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
