package harness

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
)

// listener serves connections of HTTP/1.1, each in a goroutine of its own.
type listener struct {
	net.Listener

	mu     sync.Mutex
	conns  map[net.Conn]bool
	closed bool
	served sync.WaitGroup
}

// listen serves connections to a port of the loopback interface. secure may be nil.
func listen(ctx context.Context, secure *tls.Config, serve func(*wire)) (*listener, error) {
	inner, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &listener{Listener: inner, conns: map[net.Conn]bool{}}
	l.served.Go(func() {
		for {
			conn, err := inner.Accept()
			if err != nil {
				return // close ends it
			}
			if !l.keep(conn) {
				return
			}
			l.served.Go(func() {
				defer l.drop(conn)
				if secure != nil {
					conn := tls.Server(conn, secure)
					if conn.HandshakeContext(ctx) == nil {
						serve(newWire(conn))
					}
					return
				}
				serve(newWire(conn))
			})
		}
	})
	return l, nil
}

// keep remembers a connection for close. It closes it when the listener is closed.
func (l *listener) keep(conn net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		conn.Close()
		return false
	}
	l.conns[conn] = true
	return true
}

func (l *listener) drop(conn net.Conn) {
	conn.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, conn)
}

// close ends the listener and its connections, and waits for their goroutines.
func (l *listener) close() {
	l.mu.Lock()
	l.closed = true
	l.Close()
	for conn := range l.conns {
		conn.Close()
	}
	l.mu.Unlock()
	l.served.Wait()
}
