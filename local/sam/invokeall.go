package sam

import (
	"bytes"
	"context"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tienda-dev/tienda/local/template"
)

// invokesAtOnce is how many containers start in parallel.
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

// InvokeAll invokes every function with its sample event at one `sam local start-lambda`, each with tables of its own,
// and calls done with one outcome at a time. A wrong answer is an outcome, not an error.
func (c *CLI) InvokeAll(ctx context.Context, d *Data, done func(Outcome)) error {
	own := map[string]map[string]string{}
	for _, f := range c.template.Functions {
		environment, err := d.Environment(suffix(f))
		if err != nil {
			return err
		}
		own[f.LogicalID] = environment
	}
	var log bytes.Buffer
	server, err := c.StartLambda(ctx, ServeOptions{Own: own, Log: &lockedWriter{out: &log}})
	if err != nil {
		return err
	}
	stop := sync.OnceFunc(server.Stop)
	defer stop()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}

	failed := false
	outcomes := make(chan Outcome)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(invokesAtOnce)
	finished := make(chan error, 1)
	go func() {
		for _, f := range c.template.Functions {
			group.Go(func() error {
				began := time.Now()
				expected, err := c.invokeOne(ctx, d, f, server, client)
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
		failed = failed || o.Err != nil
		done(o)
	}
	err = <-finished
	stop()
	if failed || err != nil {
		_, _ = c.cfg.Out.Write(log.Bytes()) // a closed terminal is no reason to stop
	}
	return err
}

// suffix is that of the names of the function's tables.
func suffix(f template.Function) string { return "-" + f.Name }

func (c *CLI) invokeOne(ctx context.Context, d *Data, f template.Function, server *Server, client *http.Client) (Expectation, error) {
	expected, err := ReadExpectation(c.root, f.Name)
	if err != nil {
		return expected, err
	}
	if err := d.CreateTables(ctx, suffix(f)); err != nil {
		return expected, err
	}
	event, err := c.readEvent(Invocation{Function: f})
	if err != nil {
		return expected, err
	}
	answer, _, err := server.invoke(ctx, client, f, event)
	if err != nil {
		return expected, err
	}
	return expected, expected.Check(answer)
}
