package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/tienda-dev/tienda/functions/shipments"
	"github.com/tienda-dev/tienda/local/demo"
	"github.com/tienda-dev/tienda/local/stack"
	"github.com/tienda-dev/tienda/local/token"
)

const (
	// carrierKey is the logical id of the secret that carriers sign with.
	carrierKey = "CarrierKeySecret"
	// demonstrator begins the subjects of the staff's tokens.
	demonstrator = "local-demo-"
)

// demonstrate walks one order through its life on the API at url, which uses this machine's keys.
func demonstrate(ctx context.Context, opts stack.Options, url string, out io.Writer) error {
	staff := func(role string) (string, error) { return mint(opts, demonstrator+role, []string{role}) }
	if _, err := staff("support"); err != nil { // makes the secrets that do not exist yet
		return err
	}
	secret, err := os.ReadFile(token.Path(filepath.Join(opts.Root, ".cache"), carrierKey))
	if err != nil {
		return fmt.Errorf("read the carriers' key: %w", err)
	}
	keys, err := shipments.ParseCarrierKeys(secret)
	if err != nil {
		return fmt.Errorf("the local secret %s: %w", carrierKey, err)
	}
	return demo.Run(ctx, demo.Config{URL: url, Token: staff, Sign: keys[0].Sign, Now: time.Now, Out: out})
}
