package sam

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tienda-dev/tienda/local/template"
)

// invokesAtOnce is how many containers start in parallel. Each takes a whole CPU for two seconds.
const invokesAtOnce = 2

// Outcome is how a function answered its sample event.
type Outcome struct {
	Function template.Function
	// Expected is the expected answer.
	Expected Expectation
	// Took is how long SAM needed for it.
	Took time.Duration
	// Err joins all differences from the expected answer; nil without one.
	Err error
}

// InvokeAll invokes every function with its sample event, each with tables of its own, and calls done
// with one outcome at a time. A wrong answer is an outcome, not an error.
func (c *CLI) InvokeAll(ctx context.Context, d *Data, done func(Outcome)) error {
	outcomes := make(chan Outcome)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(invokesAtOnce)
	finished := make(chan error, 1)
	go func() {
		for _, f := range c.template.Functions {
			group.Go(func() error {
				began := time.Now()
				expected, err := c.invokeOne(ctx, d, f)
				if ctx.Err() != nil {
					return ctx.Err()
				}
				outcomes <- Outcome{Function: f, Expected: expected, Took: time.Since(began), Err: err}
				return nil
			})
		}
		finished <- group.Wait()
		close(outcomes)
	}()
	for o := range outcomes {
		done(o)
	}
	return <-finished
}

func (c *CLI) invokeOne(ctx context.Context, d *Data, f template.Function) (Expectation, error) {
	expected, err := ReadExpectation(c.root, f.Name)
	if err != nil {
		return expected, err
	}
	suffix := "-" + f.Name
	if err := d.CreateTables(ctx, suffix); err != nil {
		return expected, err
	}
	environment, err := d.Environment(suffix)
	if err != nil {
		return expected, err
	}
	var log bytes.Buffer
	answer, err := c.Invoke(ctx, Invocation{Function: f, Environment: environment, Log: &log})
	if err == nil {
		err = expected.Check(answer)
	}
	if err != nil {
		return expected, errors.Join(err, fmt.Errorf("output of SAM and the function:\n%s", log.String()))
	}
	return expected, nil
}
