package observe

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/tienda-dev/tienda/local/child"
)

const (
	startTimeout = 30 * time.Second
	// patience is how long a program may take to end. The collector sends what it holds.
	patience  = 5 * time.Second
	pollEvery = 20 * time.Millisecond
)

// Options configure Start. Only Root is required.
type Options struct {
	// Root is the repository's folder.
	Root string
	// Folder receives configurations, logs and data of the programs. Empty is .cache/observe in Root, emptied first.
	Folder string
	// Jaeger starts Jaeger too. Otherwise traces go to traces.jsonl in Folder.
	Jaeger bool
	// CollectorConfigs are other configurations of the collector; a later one changes an earlier one. Empty is
	// observability/collector.yaml.
	CollectorConfigs []string
	// Env are more variables of the collector, such as COLLECTOR_SHARE_PERCENT. By default every trace is kept.
	Env map[string]string
	// NoPrometheus starts the collector alone.
	NoPrometheus bool
	// ScrapeInterval is Prometheus' interval of scrapes and rules. 0 is that of observability/prometheus.yaml.
	ScrapeInterval time.Duration
	// Note receives a sentence before a step that takes minutes. Nil drops it.
	Note func(sentence string)
}

// Running are the running programs. Each URL is without a slash at the end.
type Running struct {
	// Endpoint takes OTLP over HTTP: the value for OTEL_EXPORTER_OTLP_ENDPOINT.
	Endpoint string
	// Merged and Instances are the collector's pages for Prometheus, Self is its page about itself.
	Merged, Instances, Self string
	// Prometheus and Jaeger are where they answer; empty if they were not started.
	Prometheus, Jaeger string
	// PrometheusPages reports whether Prometheus has its pages. Built from its module it answers queries only.
	PrometheusPages bool
	// Folder has traces.jsonl, logs.jsonl, and a log of each program.
	Folder string

	programs []*program
	ended    chan error
	stopped  chan struct{}
}

// program is one started program.
type program struct {
	name    string
	process *child.Process
	log     *os.File
}

// Start starts the programs and returns when all of them answer. When it fails, nothing is left running. The end of this
// process ends them too. Another process may take a port between its choice and its use: then all start again.
func Start(ctx context.Context, o Options) (*Running, error) {
	for attempt := 1; ; attempt++ {
		r := &Running{Folder: o.Folder, ended: make(chan error, 1), stopped: make(chan struct{})}
		err := r.start(ctx, o)
		if err == nil {
			return r, nil
		}
		r.Stop()
		if attempt == startAttempts || !strings.Contains(err.Error(), "address already in use") {
			return nil, err
		}
	}
}

// startAttempts bounds how often Start chooses ports.
const startAttempts = 4

// Stop ends the programs and waits for their end: the collector first, because it sends what it holds.
func (r *Running) Stop() {
	select {
	case <-r.stopped:
		return
	default:
		close(r.stopped)
	}
	for _, p := range slices.Backward(r.programs) {
		p.process.Stop(patience)
		_ = p.log.Close() // the program wrote it
	}
}

// Failed receives an error when a program ends by itself.
func (r *Running) Failed() <-chan error { return r.ended }

func (r *Running) start(ctx context.Context, o Options) error {
	root, err := filepath.Abs(o.Root)
	if err != nil {
		return err
	}
	if r.Folder == "" {
		r.Folder = filepath.Join(root, ".cache", "observe")
		if err := os.RemoveAll(r.Folder); err != nil {
			return err
		}
	}
	if r.Folder, err = filepath.Abs(r.Folder); err != nil {
		return err
	}
	if err := os.MkdirAll(r.Folder, 0o755); err != nil {
		return err
	}
	tools := Tools{Root: root, Note: o.Note}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	backend := ""
	if o.Jaeger {
		if backend, err = r.startJaeger(ctx, tools, root); err != nil {
			return err
		}
	}
	targets, err := r.choosePorts(ctx)
	if err != nil {
		return err
	}
	if !o.NoPrometheus {
		if err := r.startPrometheus(ctx, tools, root, targets, o.ScrapeInterval); err != nil {
			return err
		}
	}
	return r.startCollector(ctx, tools, root, o, targets, backend)
}

// targets are the collector's ports by the names of their variables.
type targets map[string]int

func (r *Running) choosePorts(ctx context.Context) (targets, error) {
	names := []string{
		"COLLECTOR_HTTP_PORT", "COLLECTOR_GRPC_PORT", "COLLECTOR_MERGED_PORT", "COLLECTOR_INSTANCES_PORT",
		"COLLECTOR_SELF_PORT", "COLLECTOR_HEALTH_PORT",
	}
	ports, err := freePorts(ctx, len(names))
	if err != nil {
		return nil, err
	}
	chosen := targets{}
	for i, name := range names {
		chosen[name] = ports[i]
	}
	r.Endpoint = chosen.url("COLLECTOR_HTTP_PORT")
	r.Merged = chosen.url("COLLECTOR_MERGED_PORT")
	r.Instances = chosen.url("COLLECTOR_INSTANCES_PORT")
	r.Self = chosen.url("COLLECTOR_SELF_PORT")
	return chosen, nil
}

func (t targets) url(name string) string { return "http://" + t.addr(name) }

func (t targets) addr(name string) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(t[name]))
}

func (r *Running) startCollector(ctx context.Context, tools Tools, root string, o Options, ports targets, backend string) error {
	binary, err := tools.Collector(ctx)
	if err != nil {
		return err
	}
	configs := o.CollectorConfigs
	if len(configs) == 0 {
		configs = []string{filepath.Join(root, "observability", "collector.yaml")}
	}
	var args []string
	for _, config := range configs {
		args = append(args, "--config", "file:"+config)
	}
	environ := map[string]string{
		"COLLECTOR_HOST": "127.0.0.1", "COLLECTOR_FOLDER": r.Folder, "COLLECTOR_TRACES_TO": "[file/traces]",
		// A person who looks at one request wants its trace, and soon.
		"COLLECTOR_SHARE_PERCENT": "100", "COLLECTOR_DECISION_WAIT": "2s", "COLLECTOR_BATCH_TIMEOUT": "200ms",
	}
	for name, port := range ports {
		environ[name] = strconv.Itoa(port)
	}
	if backend != "" {
		environ["COLLECTOR_BACKEND"], environ["COLLECTOR_TRACES_TO"] = backend, "[otlp_http, file/traces]"
	}
	maps.Copy(environ, o.Env)
	cmd := exec.Command(binary, args...)
	cmd.Env = os.Environ()
	for name, value := range environ {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return r.launch(ctx, "collector", cmd, ports.url("COLLECTOR_HEALTH_PORT"))
}

func (r *Running) startPrometheus(ctx context.Context, tools Tools, root string, ports targets, interval time.Duration) error {
	home, err := tools.Prometheus(ctx)
	if err != nil {
		return err
	}
	free, err := freePorts(ctx, 1)
	if err != nil {
		return err
	}
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(free[0]))
	config, err := prometheusConfig(root, ports, addr, interval)
	if err != nil {
		return err
	}
	file := filepath.Join(r.Folder, "prometheus.yaml")
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		return err
	}
	r.Prometheus = "http://" + addr
	cmd := exec.Command(filepath.Join(home, "prometheus"), "--config.file="+file,
		"--storage.tsdb.path="+filepath.Join(r.Folder, "prometheus"), "--web.listen-address="+addr,
		"--enable-feature=exemplar-storage", "--log.level=warn")
	pages := filepath.Join(home, filepath.FromSlash(prometheusPages))
	if _, err := os.Stat(pages); err == nil {
		r.PrometheusPages = true
		cmd.Args = append(cmd.Args, "--web.local-assets="+pages+"/") // without the slash it finds nothing
	}
	return r.launch(ctx, "prometheus", cmd, r.Prometheus+"/-/ready")
}

// prometheusConfig returns observability/prometheus.yaml with this machine's addresses and paths.
func prometheusConfig(root string, ports targets, self string, interval time.Duration) (string, error) {
	content, err := os.ReadFile(filepath.Join(root, "observability", "prometheus.yaml"))
	if err != nil {
		return "", err
	}
	text := string(content)
	changes := [][2]string{
		{"collector:8889", ports.addr("COLLECTOR_MERGED_PORT")},
		{"collector:8890", ports.addr("COLLECTOR_INSTANCES_PORT")},
		{"collector:8888", ports.addr("COLLECTOR_SELF_PORT")},
		{"localhost:9090", self},
		{"rules/*.yaml", filepath.Join(root, "observability", "rules", "*.yaml")},
	}
	if interval > 0 {
		changes = append(changes, [2]string{"_interval: 15s", "_interval: " + interval.String()})
	}
	for _, change := range changes {
		if !strings.Contains(text, change[0]) {
			return "", fmt.Errorf("observability/prometheus.yaml does not contain %q", change[0])
		}
		text = strings.ReplaceAll(text, change[0], change[1])
	}
	return text, nil
}

// startJaeger returns the URL that takes OTLP.
func (r *Running) startJaeger(ctx context.Context, tools Tools, root string) (string, error) {
	binary, err := tools.Jaeger(ctx)
	if err != nil {
		return "", err
	}
	ports, err := freePorts(ctx, 5)
	if err != nil {
		return "", err
	}
	addr := func(i int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(ports[i])) }
	file := filepath.Join(r.Folder, "jaeger.yaml")
	config := fmt.Sprintf(jaegerConfig, addr(0), addr(1), addr(2), addr(3), ports[4], filepath.Join(root, "observability", "jaeger"))
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		return "", err
	}
	r.Jaeger = "http://" + addr(0)
	cmd := exec.Command(binary, "--config", "file:"+file)
	return "http://" + addr(2), r.launch(ctx, "jaeger", cmd, "http://"+addr(3))
}

// launch starts a program and waits until url answers with 200.
func (r *Running) launch(ctx context.Context, name string, cmd *exec.Cmd, url string) error {
	log, err := os.Create(filepath.Join(r.Folder, name+".log"))
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = log, log
	process, err := child.Start(cmd, syscall.SIGTERM)
	if err != nil {
		_ = log.Close() // nothing was written
		return fmt.Errorf("start %s: %w", name, err)
	}
	p := &program{name: name, process: process, log: log}
	r.programs = append(r.programs, p)
	if err := p.wait(ctx, url); err != nil {
		return err
	}
	go func() {
		<-process.Ended()
		select {
		case <-r.stopped:
		default:
			select {
			case r.ended <- p.failure("ended by itself"):
			default: // the first one counts
			}
		}
	}()
	return nil
}

func (p *program) failure(what string) error {
	text, err := os.ReadFile(p.log.Name())
	return errors.Join(fmt.Errorf("%s %s: %s", p.name, what, child.LastLine(string(text))), err)
}

func (p *program) wait(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	client := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return err
		}
		if res, err := client.Do(req); err == nil {
			_ = res.Body.Close() // only its status matters
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-p.process.Ended():
			return p.failure("ended at once")
		case <-ctx.Done():
			return p.failure("does not answer")
		case <-time.After(pollEvery):
		}
	}
}

// freePorts returns ports that nothing listens on. All are held until the last is found, so that they differ.
func freePorts(ctx context.Context, n int) ([]int, error) {
	ports := make([]int, n)
	listeners := make([]net.Listener, n)
	for i := range n {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("no free port: %w", err)
		}
		listeners[i], ports[i] = l, l.Addr().(*net.TCPAddr).Port
	}
	for _, l := range listeners {
		if err := l.Close(); err != nil {
			return nil, err
		}
	}
	return ports, nil
}
