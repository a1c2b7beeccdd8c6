package app

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap/zapcore"

	"github.com/tienda-dev/tienda/shared/api"
)

func setup(t *testing.T, environ map[string]string) *Setup {
	t.Helper()
	s, err := newSetup(api.Route{}, environ)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

type settings struct {
	Table   string        `env:"TABLE,required,notEmpty"`
	Port    int           `env:"PORT"`
	Timeout time.Duration `env:"TIMEOUT" envDefault:"3s"`
	Nested  struct {
		Region string `env:"REGION,required"`
	}
}

func TestEnv(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		environ map[string]string
		want    []string // parts of the error
	}{
		"OK":        {environ: map[string]string{"TABLE": "t", "PORT": "1", "REGION": "r"}},
		"Missing":   {environ: map[string]string{"PORT": "1"}, want: []string{"TABLE is not set", "REGION is not set"}},
		"Empty":     {environ: map[string]string{"TABLE": "", "REGION": "r"}, want: []string{"TABLE is empty"}},
		"Malformed": {environ: map[string]string{"TABLE": "t", "REGION": "r", "PORT": "canary"}, want: []string{"PORT is not a valid int"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got settings
			err := setup(t, tc.environ).Env(&got)
			if len(tc.want) == 0 {
				if err != nil || got.Table != "t" || got.Port != 1 || got.Timeout != 3*time.Second || got.Nested.Region != "r" {
					t.Errorf("got %+v, %v", got, err)
				}
				return
			}
			for _, part := range tc.want {
				if err == nil || !strings.Contains(err.Error(), part) {
					t.Errorf("got %v, want an error with %q", err, part)
				}
			}
			if err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("the error holds the value: %v", err)
			}
		})
	}
}

func TestWarmUpsRunInParallelWithATimeLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := setup(t, nil)
		done := 0
		ticket := make(chan struct{}, 1)
		ticket <- struct{}{}
		for range 3 {
			s.OnInit(func(context.Context) error {
				time.Sleep(400 * time.Millisecond)
				<-ticket
				done++
				ticket <- struct{}{}
				return errors.New("does not matter")
			})
		}
		s.OnInit(func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		})

		start := time.Now()
		s.warm(t.Context())

		if took := time.Since(start); took != initTimeout || done != 3 {
			t.Errorf("%d of 3 done in %v, want all in %v", done, took, initTimeout)
		}
	})
}

func TestLoadsRunInParallelWithWarmUps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := setup(t, nil)
		for range 3 {
			s.Load(func(context.Context) error { time.Sleep(400 * time.Millisecond); return nil })
		}
		s.OnInit(func(context.Context) error { time.Sleep(400 * time.Millisecond); return nil })
		start := time.Now()
		if err := s.start(t.Context()); err != nil || time.Since(start) != 400*time.Millisecond {
			t.Errorf("got %v after %v, want all in parallel, in 400 ms", err, time.Since(start))
		}
	})
}

func TestFailedLoadEndsInit(t *testing.T) {
	t.Parallel()
	s := setup(t, nil)
	s.Load(func(context.Context) error { return errors.New("no secret") })
	s.Load(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	s.OnInit(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	if err := s.start(t.Context()); err == nil || err.Error() != "no secret" {
		t.Errorf("got %v, want the error of the load that failed first", err)
	}
}

func TestWrapOrder(t *testing.T) {
	t.Parallel()
	s := setup(t, nil)
	var trace []string
	for _, name := range []string{"first", "second"} {
		s.Wrap(func(next lambda.Handler) lambda.Handler {
			return handlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
				trace = append(trace, name)
				return next.Invoke(ctx, payload)
			})
		})
	}
	inner := handlerFunc(func(context.Context, []byte) ([]byte, error) {
		trace = append(trace, "inner")
		return nil, nil
	})
	if _, err := s.wrapped(inner).Invoke(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"first", "second", "inner"}, trace); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

type handlerFunc func(ctx context.Context, payload []byte) ([]byte, error)

func (f handlerFunc) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	return f(ctx, payload)
}

func TestInvocationFields(t *testing.T) {
	t.Parallel()
	fields := invocationFields()
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "aws-1", InvokedFunctionArn: "arn:1"})
	ctx = context.WithValue(ctx, "x-amzn-trace-id", "Root=1-2-3;Parent=4;Sampled=1") //nolint:revive,staticcheck // the key that aws-lambda-go uses
	read := func(ctx context.Context) map[string]any {
		enc := zapcore.NewMapObjectEncoder()
		for _, f := range fields(ctx) {
			f.AddTo(enc)
		}
		return enc.Fields
	}
	want := map[string]any{"cold_start": true, "function_request_id": "aws-1", "function_arn": "arn:1", "xray_trace_id": "1-2-3"}
	if diff := cmp.Diff(want, read(ctx)); diff != "" {
		t.Errorf("first request (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{"cold_start": false}, read(t.Context())); diff != "" {
		t.Errorf("second request, outside Lambda (-want +got):\n%s", diff)
	}
}
