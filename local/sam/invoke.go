package sam

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"github.com/tienda-dev/tienda/local/template"
)

// Invocation is one `sam local invoke`.
type Invocation struct {
	// Function is what is invoked.
	Function template.Function
	// Event is the path of the event; empty is events/<operation>.json.
	Event string
	// Environment is what the function's variables are, apart from what the template says.
	Environment map[string]string
	// Log takes what SAM and the function print. Nil is the CLI's Out.
	Log io.Writer
}

// Invoke runs `sam local invoke` in a new container and returns the function's answer, as it is.
func (c *CLI) Invoke(ctx context.Context, i Invocation) ([]byte, error) {
	event, err := c.event(i)
	if err != nil {
		return nil, err
	}
	cmd, err := c.command(ctx, call{
		name: "invoke", args: []string{i.Function.LogicalID, "--event", event},
		environment: i.Environment, file: "invoke-" + i.Function.Name,
	})
	if err != nil {
		return nil, err
	}
	var answer bytes.Buffer
	log := &containers{out: i.Log}
	if i.Log == nil {
		log.out = c.cfg.Out
	}
	cmd.Stdout, cmd.Stderr = &answer, log
	p, err := startProcess(cmd, syscall.SIGTERM)
	if err != nil {
		return nil, fmt.Errorf("sam local invoke does not start: %w", err)
	}
	defer log.remove()
	select {
	case <-p.ended:
	case <-ctx.Done():
		p.stop(serverStop)
		return nil, ctx.Err()
	}
	if p.err != nil {
		return nil, fmt.Errorf("sam local invoke %s: %w", i.Function.LogicalID, p.err)
	}
	return bytes.TrimSpace(answer.Bytes()), nil
}

// CheckEvent says whether the invocation's event is there.
func (c *CLI) CheckEvent(i Invocation) error {
	_, err := c.event(i)
	return err
}

// event returns the absolute path of the event, or says that there is none.
func (c *CLI) event(i Invocation) (string, error) {
	path := i.Event
	if path == "" {
		path = filepath.Join("events", i.Function.Name+".json")
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(c.root, path)
	}
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) || err == nil && info.IsDir() {
		return "", fmt.Errorf("there is no event %s", path)
	}
	return path, err
}
