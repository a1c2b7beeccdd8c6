package stack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/tienda-dev/tienda/local/gateway"
	"github.com/tienda-dev/tienda/local/runtime"
	"github.com/tienda-dev/tienda/local/template"
)

// checksAtOnce is how many functions start at the same time to be checked.
const checksAtOnce = 4

// functionsOf makes the runtime's functions from the template's. Its error names the binaries that are
// missing.
func functionsOf(t *template.Template, opts Options) ([]runtime.Function, error) {
	binDir := opts.BinDir
	if binDir == "" {
		binDir = filepath.Join(opts.Root, ".cache", "run")
	}
	var functions []runtime.Function
	var missing []string
	for _, f := range t.Functions {
		binary := filepath.Join(binDir, f.Name, f.Handler)
		if opts.Builder != nil {
			binary = opts.Builder.Path(f.Name)
		} else if info, err := os.Stat(binary); err != nil || !info.Mode().IsRegular() {
			missing = append(missing, f.Name)
			continue
		}
		env := maps.Clone(f.Environment)
		for name, value := range opts.Env {
			if _, declared := env[name]; declared {
				env[name] = value
			}
		}
		if f.LogLevel != "" {
			env[envLogLevel] = f.LogLevel
		}
		functions = append(functions, runtime.Function{
			Name: f.Name, Binary: binary, Late: opts.Builder != nil, Env: env,
			MemoryMB: f.MemoryMB, Timeout: f.Timeout, ReservedConcurrency: f.ReservedConcurrency,
		})
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("no binary in %s for %s: `make run` builds them", binDir, strings.Join(missing, ", "))
	}
	return functions, nil
}

// checkInit starts an extra environment of every function and ends it again. An empty event is enough:
// whatever the answer, the function has started. It is not a request, so its telemetry is off.
func checkInit(ctx context.Context, functions []runtime.Function) error {
	trial, err := runtime.New(runtime.Config{Functions: silent(functions)})
	if err != nil {
		return err
	}
	defer trial.Close()

	group, trialCtx := errgroup.WithContext(ctx)
	group.SetLimit(checksAtOnce)
	for _, f := range functions {
		group.Go(func() error {
			_, err := trial.Invoke(trialCtx, f.Name, []byte("{}"))
			if errors.Is(err, runtime.Init) || errors.Is(err, runtime.Exit) {
				return fmt.Errorf("the function %w", err) // the error starts with the function's name
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// silent returns the functions without telemetry.
func silent(functions []runtime.Function) []runtime.Function {
	functions = slices.Clone(functions)
	for i, f := range functions {
		functions[i].Env = map[string]string{}
		maps.Copy(functions[i].Env, f.Env)
		functions[i].Env[envOTLPDisabled] = "true"
	}
	return functions
}

// gatewayConfig makes the gateway's configuration from the template's API and routes, without its throttles
// if unlimited is true.
func gatewayConfig(t *template.Template, unlimited bool, invoker gateway.Invoker, log func(gateway.Access)) gateway.Config {
	names := map[string]string{} // function names by logical id
	for _, f := range t.Functions {
		names[f.LogicalID] = f.Name
	}
	cfg := gateway.Config{
		Authorizers: map[string]gateway.Authorizer{},
		Invoker:     invoker,
		AccessLog:   log,
	}
	for _, a := range t.API.Authorizers {
		cfg.Authorizers[a.Name] = gateway.Authorizer{
			Function: names[a.Function], IdentitySources: a.IdentitySources, TTL: a.TTL,
		}
	}
	if c := t.API.CORS; c != nil {
		cors := gateway.CORS(*c)
		cfg.CORS = &cors
	}
	throttles := map[string]*gateway.Throttle{} // by route key
	if !unlimited {
		cfg.Throttle = (*gateway.Throttle)(t.API.Throttle)
		for _, r := range t.API.RouteThrottles {
			throttles[r.Key] = (*gateway.Throttle)(&r.Throttle)
		}
	}
	for _, f := range t.Functions {
		for _, r := range f.Routes {
			cfg.Routes = append(cfg.Routes, gateway.Route{
				RouteKey: r.Key(), Function: f.Name, Authorizer: r.Authorizer, Throttle: throttles[r.Key()],
			})
		}
	}
	return cfg
}
