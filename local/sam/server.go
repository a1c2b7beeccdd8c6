package sam

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"syscall"
	"time"

	"github.com/tienda-dev/tienda/local/child"
	"github.com/tienda-dev/tienda/local/stack"
)

const (
	// serverStart is how long SAM may take to listen. It pulls no image before the first request.
	serverStart = 60 * time.Second
	// serverStop is enough for requests in flight.
	serverStop = 20 * time.Second
)

// ServeOptions configure what is served.
type ServeOptions struct {
	// Port is where it listens on the loopback address; 0 is a free one.
	Port int
	// Environment overrides variables of the functions.
	Environment map[string]string
	// Own overrides variables of single functions, by their logical id.
	Own map[string]map[string]string
	// Template is used instead of template.yaml if it is not empty.
	Template string
	// Log receives the output of SAM and the functions. Nil is the CLI's Out.
	Log io.Writer
}

// Server is a `sam local` command that serves.
type Server struct {
	// URL is where it answers, without a slash at the end.
	URL        string
	process    *child.Process
	containers *containers
}

// StartAPI runs `sam local start-api` and returns when it listens.
func (c *CLI) StartAPI(ctx context.Context, o ServeOptions) (*Server, error) {
	return c.serve(ctx, "start-api", o)
}

// StartLambda runs `sam local start-lambda` and returns when it listens.
func (c *CLI) StartLambda(ctx context.Context, o ServeOptions) (*Server, error) {
	return c.serve(ctx, "start-lambda", o)
}

func (c *CLI) serve(ctx context.Context, name string, o ServeOptions) (*Server, error) {
	port, err := claimPort(ctx, o.Port)
	if err != nil {
		return nil, err
	}
	cmd, err := c.command(ctx, call{
		name: name, args: []string{"--port", strconv.Itoa(port)}, template: o.Template,
		environment: o.Environment, own: o.Own, file: name + "-" + strconv.Itoa(port),
	})
	if err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = c.cfg.Out
	}
	s := &Server{
		URL:        "http://localhost:" + strconv.Itoa(port),
		containers: &containers{out: o.Log},
	}
	cmd.Stdout, cmd.Stderr = o.Log, s.containers
	if s.process, err = child.Start(cmd, syscall.SIGTERM); err != nil {
		return nil, fmt.Errorf("start sam local %s: %w", name, err)
	}
	if err := s.ready(ctx, port); err != nil {
		s.Stop()
		return nil, fmt.Errorf("sam local %s: %w", name, err)
	}
	return s, nil
}

// claimPort returns the port, or a free one for 0. A port that is taken is an error.
func claimPort(ctx context.Context, port int) (int, error) {
	if port != 0 {
		return port, tryPort(ctx, port)
	}
	// SAM cannot choose one itself. The system gives its own choices, which are above highest, to other programs meanwhile.
	const lowest, highest, tries = 20_000, 32_000, 100
	var err error
	for range tries {
		port = lowest + rand.IntN(highest-lowest)
		if err = tryPort(ctx, port); err == nil {
			return port, nil
		}
	}
	return 0, err
}

func tryPort(ctx context.Context, port int) error {
	l, err := stack.Listen(ctx, net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return err
	}
	return l[0].Close()
}

func (s *Server) ready(ctx context.Context, port int) error {
	ctx, cancel := context.WithTimeout(ctx, serverStart)
	defer cancel()
	var dialer net.Dialer
	for {
		conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			return conn.Close()
		}
		select {
		case <-s.process.Ended():
			return errors.New("it ended at once; its output is above")
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// Containers returns the ids of the containers that it has started so far.
func (s *Server) Containers() []string { return s.containers.started() }

// Ended is closed when SAM has ended, by Stop or by itself.
func (s *Server) Ended() <-chan struct{} { return s.process.Ended() }

// Stop ends SAM and its containers and waits for their end. It may be called twice.
func (s *Server) Stop() {
	s.process.Stop(serverStop)
	s.containers.remove()
}
