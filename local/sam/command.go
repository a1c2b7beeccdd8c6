package sam

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tienda-dev/tienda/local/template"
)

// call is one run of the SAM CLI.
type call struct {
	// name is the command below `sam local`: invoke, start-api, start-lambda.
	name string
	// args follow the common ones.
	args []string
	// template is the path of the template to use instead of template.yaml. Empty is template.yaml.
	template string
	// environment overrides variables of the functions.
	environment map[string]string
	// own overrides variables of single functions, by their logical id.
	own map[string]map[string]string
	// file is the name of the file for environment, without its ending.
	file string
}

// command returns the command of a call. With the stand-in image every setting comes from
// samconfig.toml, as it does for a person who types the command.
func (c *CLI) command(ctx context.Context, k call) (*exec.Cmd, error) {
	image, err := c.image(ctx)
	if err != nil {
		return nil, err
	}
	file := c.path(k.file + ".json")
	if err := c.writeEnvironment(file, k.environment, k.own); err != nil {
		return nil, err
	}

	args := []string{"local", k.name, "--env-vars", file, "--config-file", filepath.Join(c.root, "samconfig.toml")}
	if image == StandInImage {
		args = append(args, "--config-env", "local-"+c.arch)
	} else {
		args = append(args, "--add-host", containerHost+":host-gateway",
			"--parameter-overrides", "Stage=local Architecture="+c.arch)
	}
	template := c.path("template.yaml")
	if k.template != "" {
		template = c.path(k.file + ".yaml")
		if err := copyFile(k.template, template); err != nil {
			return nil, err
		}
	}
	cmd := exec.Command(c.cfg.Command, append(append(args, "--template", template), k.args...)...)
	cmd.Dir = c.root
	cmd.Env = c.environ(os.Environ())
	return cmd, nil
}

// writeEnvironment writes the variables, secrets among them, in the format of --env-vars. It adds the URLs of
// queues, which SAM does not know and which differ by function.
func (c *CLI) writeEnvironment(file string, variables map[string]string, own map[string]map[string]string) error {
	if variables == nil {
		variables = map[string]string{} // SAM refuses null
	}
	all := map[string]map[string]string{"Parameters": variables}
	for _, f := range c.template.Functions {
		if own[f.LogicalID] != nil {
			all[f.LogicalID] = maps.Clone(own[f.LogicalID])
		}
		for name, value := range f.Environment {
			if !slices.ContainsFunc(c.template.Queues, func(q template.Queue) bool { return template.QueueURL(q.Name) == value }) {
				continue
			}
			if all[f.LogicalID] == nil {
				all[f.LogicalID] = map[string]string{}
			}
			all[f.LogicalID][name] = value
		}
	}
	data, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(data, '\n'), 0o600)
}

// environ returns this process's environment without what SAM must not see: SAM passes its variables to
// every function that declares the name, and asks AWS for the owner of credentials.
func (c *CLI) environ(from []string) []string {
	declared := map[string]bool{}
	for _, f := range c.template.Functions {
		for name := range f.Environment {
			declared[name] = true
		}
	}
	kept := slices.DeleteFunc(slices.Clone(from), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return declared[name] || strings.HasPrefix(name, "AWS_") || strings.HasPrefix(name, "SAM_CLI_TELEMETRY")
	})
	return append(kept,
		"SAM_CLI_TELEMETRY=0",
		"AWS_EC2_METADATA_DISABLED=true",
		"AWS_SHARED_CREDENTIALS_FILE="+os.DevNull,
		"AWS_CONFIG_FILE="+os.DevNull,
		"AWS_DEFAULT_REGION="+region,
	)
}

var containerLine = regexp.MustCompile(`SAM_CONTAINER_ID: ([0-9a-f]{12,64})`)

// containers passes SAM's messages on and remembers the containers that SAM has started.
type containers struct {
	mu   sync.Mutex
	rest []byte
	ids  []string
	out  interface{ Write(p []byte) (int, error) }
}

// Write implements io.Writer.
func (w *containers) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rest = append(w.rest, p...)
	for {
		end := slices.Index(w.rest, '\n')
		if end < 0 {
			break
		}
		if m := containerLine.FindSubmatch(w.rest[:end]); m != nil {
			w.ids = append(w.ids, string(m[1]))
		}
		w.rest = w.rest[end+1:]
	}
	return w.out.Write(p)
}

// started returns the ids of the containers so far.
func (w *containers) started() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.ids)
}

// remove removes the containers that SAM leaves behind when it is killed.
func (w *containers) remove() {
	ids := w.started()
	if len(ids) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	there, err := docker(ctx, "ps", "--all", "--quiet", "--no-trunc")
	if err != nil {
		return
	}
	for _, id := range ids {
		if strings.Contains(there, id) {
			_, _ = docker(ctx, "rm", "--force", id) // gone in the meantime
		}
	}
}
