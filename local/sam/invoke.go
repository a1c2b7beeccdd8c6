package sam

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"github.com/tienda-dev/tienda/local/child"
	"github.com/tienda-dev/tienda/local/template"
)

// Invocation is one `sam local invoke`.
type Invocation struct {
	// Function is what is invoked.
	Function template.Function
	// Event is the path of the event; empty is events/<operation>.json.
	Event string
	// Environment overrides variables of the function.
	Environment map[string]string
	// Log receives the output of SAM and the function. Nil is the CLI's Out.
	Log io.Writer
}

// Invoke runs `sam local invoke` in a new container and returns the function's answer, as it is.
func (c *CLI) Invoke(ctx context.Context, i Invocation) ([]byte, error) {
	event, err := c.readEvent(i)
	if err != nil {
		return nil, err
	}
	cmd, err := c.command(ctx, call{
		name: "invoke", args: []string{i.Function.LogicalID, "--event", "-"},
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
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(event), &answer, log
	p, err := child.Start(cmd, syscall.SIGTERM)
	if err != nil {
		return nil, fmt.Errorf("start sam local invoke: %w", err)
	}
	defer log.remove()
	select {
	case <-p.Ended():
	case <-ctx.Done():
		p.Stop(serverStop)
		return nil, ctx.Err()
	}
	if p.Err() != nil {
		return nil, fmt.Errorf("sam local invoke %s: %w", i.Function.LogicalID, p.Err())
	}
	return bytes.TrimSpace(answer.Bytes()), nil
}

var authTime = regexp.MustCompile(`"auth_time": "[0-9]+"`)

// readEvent returns the invocation's event. Its caller has just logged in: routes with a MaxAuthAge refuse the time of a
// sample event.
func (c *CLI) readEvent(i Invocation) ([]byte, error) {
	path, err := c.event(i)
	if err != nil {
		return nil, err
	}
	event, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read event: %w", err)
	}
	return authTime.ReplaceAll(event, fmt.Appendf(nil, `"auth_time": "%d"`, time.Now().Unix())), nil
}

// CheckEvent returns an error if the invocation's event does not exist.
func (c *CLI) CheckEvent(i Invocation) error {
	_, err := c.event(i)
	return err
}

// event returns the absolute path of the event, or an error if there is none.
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
		return "", fmt.Errorf("no event at %s", path)
	}
	return path, err
}
