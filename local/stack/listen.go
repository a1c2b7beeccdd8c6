package stack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// Listen listens on addr. Empty is 127.0.0.1 on a free port. The host localhost is both loopback addresses,
// because clients may take either for it: 127.0.0.1, and ::1 where this machine has IPv6. An error names the
// port that is taken.
func Listen(ctx context.Context, addr string) ([]net.Listener, error) {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	if host != "localhost" {
		l, err := listen(ctx, addr)
		if err != nil {
			return nil, err
		}
		return []net.Listener{l}, nil
	}
	first, err := listen(ctx, net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		return nil, err
	}
	port = strconv.Itoa(first.Addr().(*net.TCPAddr).Port)
	second, err := listen(ctx, net.JoinHostPort("::1", port))
	switch {
	case errors.Is(err, syscall.EADDRNOTAVAIL), errors.Is(err, syscall.EAFNOSUPPORT):
		return []net.Listener{first}, nil
	case err != nil:
		_ = first.Close()
		return nil, err
	}
	return []net.Listener{first, second}, nil
}

func listen(ctx context.Context, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		_, port, _ := net.SplitHostPort(addr)
		return nil, fmt.Errorf("port %s is taken: stop what listens there, or choose another one by PORT", port)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	return listener, nil
}
