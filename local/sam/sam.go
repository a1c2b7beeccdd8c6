// Package sam runs the SAM CLI on this repository: it builds the functions for SAM's containers, makes an
// image for them where no container registry answers, runs DynamoDB where containers reach it, and gives
// SAM the values of variables that SAM resolves wrongly.
//
// It writes to .cache/sam/ and not to dist/: dist/ is deployed, and usually built for another
// architecture.
package sam

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/tienda-dev/tienda/local/stack"
	"github.com/tienda-dev/tienda/local/template"
	"github.com/tienda-dev/tienda/tools/dist"
)

// Config configures a CLI. Root and Command are required.
type Config struct {
	// Root is the repository's folder.
	Root string
	// Command is the SAM CLI's executable, in a virtual environment of its own.
	Command string
	// Image is the image in which functions run. Empty is AutoImage.
	Image Image
	// LogLevel is what functions log: DEBUG, INFO, WARN or ERROR. Empty is the template's default.
	LogLevel string
	// Out receives messages for the user, and the output of SAM and the functions. Nil drops them.
	Out io.Writer
}

// CLI is the SAM CLI on this repository.
type CLI struct {
	cfg      Config
	root     string // absolute
	arch     string // in Lambda's words
	template *template.Template

	imageMu sync.Mutex
	chosen  Image // AutoImage until it is chosen
}

// Open returns a CLI, or an error that says in one sentence what is missing.
func Open(cfg Config) (*CLI, error) {
	root, err := filepath.Abs(cfg.Root)
	if err != nil {
		return nil, err
	}
	if cfg.Out == nil {
		cfg.Out = io.Discard
	}
	cfg.Out = &lockedWriter{out: cfg.Out}
	c := &CLI{cfg: cfg, root: root}
	if err := cfg.Image.check(); err != nil {
		return nil, err
	}
	if c.arch, err = Architecture(runtime.GOARCH); err != nil {
		return nil, err
	}
	if _, err := exec.LookPath(cfg.Command); err != nil {
		return nil, fmt.Errorf("the SAM CLI is not at %s: run this by make, which installs it", cfg.Command)
	}
	if c.cfg.Command, err = filepath.Abs(cfg.Command); err != nil { // it runs in root
		return nil, err
	}
	if c.template, err = stack.ReadTemplate(stack.Options{Root: root}); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.path(), 0o755); err != nil {
		return nil, err
	}
	return c, nil
}

// StandIn is the name of the stand-in image for this machine.
func (c *CLI) StandIn() string { return StandIn(c.arch) }

// ConfigEnv is samconfig.toml's environment for this machine.
func (c *CLI) ConfigEnv() string { return "local-" + c.arch }

// WriteEnvironment writes .cache/sam/env.json, which samconfig.toml names: the variables that depend on
// the data.
func (c *CLI) WriteEnvironment(d *Data) error {
	variables, err := d.Environment("")
	if err != nil {
		return err
	}
	return c.writeEnvironment(c.path("env.json"), variables, nil)
}

// Template is the template that SAM serves, as the local API reads it.
func (c *CLI) Template() *template.Template { return c.template }

// Architecture returns Lambda's name of a Go architecture.
func Architecture(goarch string) (string, error) {
	switch goarch {
	case "amd64":
		return "x86_64", nil
	case "arm64":
		return "arm64", nil
	default:
		return "", fmt.Errorf("this machine is %s, and Lambda runs amd64 and arm64 only", goarch)
	}
}

// Build compiles the functions for the containers of this machine into .cache/sam/dist, and copies the template
// beside it: SAM resolves CodeUri from the folder of the template, and watches that folder for changes.
func (c *CLI) Build(ctx context.Context) error {
	_, err := dist.Build(ctx, dist.Options{Root: c.root, Out: c.path("dist"), GOOS: "linux", GOARCH: runtime.GOARCH})
	if err != nil {
		return err
	}
	return copyFile(filepath.Join(c.root, "template.yaml"), c.path("template.yaml"))
}

// copyFile replaces the copy in one step, because SAM reads it when it changes. It leaves an equal copy alone.
func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if old, err := os.ReadFile(to); err == nil && bytes.Equal(old, data) {
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(to), ".copy-")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone after the rename
	_, err = f.Write(data)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), to)
}

// path is a path below the folder of this package's files.
func (c *CLI) path(elements ...string) string {
	return filepath.Join(append([]string{c.cacheDir(), "sam"}, elements...)...)
}

func (c *CLI) cacheDir() string { return filepath.Join(c.root, ".cache") }

func (c *CLI) note(sentence string) {
	_, _ = fmt.Fprintln(c.cfg.Out, sentence) // a closed terminal is no reason to stop
}

// Function returns a function by its logical id or its operation. The error lists all functions.
func (c *CLI) Function(name string) (template.Function, error) {
	if name == "" {
		return template.Function{}, errors.New("FN is required (want " + c.names() + ")")
	}
	for _, f := range c.template.Functions {
		if name == f.LogicalID || name == f.Name {
			return f, nil
		}
	}
	return template.Function{}, fmt.Errorf("unknown function %q (want %s)", name, c.names())
}

// names is "AFunction, BFunction or CFunction".
func (c *CLI) names() string {
	var all []string
	for _, f := range c.template.Functions {
		all = append(all, f.LogicalID)
	}
	last := len(all) - 1
	return strings.Join(all[:last], ", ") + " or " + all[last]
}

// lockedWriter serialises the writes of many goroutines.
type lockedWriter struct {
	mu  sync.Mutex
	out io.Writer
}

// Write implements io.Writer.
func (w *lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out.Write(p)
}
