// Package gather sends writes that follow each other as one.
package gather

import (
	"context"
	"net"
	"sync"
)

// limit is how many bytes wait at most. A larger answer is sent in several writes.
const limit = 64 << 10

// Dial returns dial, whose connections to the address gather their writes: a write waits until the goroutine that makes it
// waits for something, and is then sent with those before it. Where Go has several threads, some may be sent before. A
// write that fails closes the connection, and is the error of every later one. Close drops what waits.
func Dial(dial func(ctx context.Context, network, address string) (net.Conn, error), address string) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, to string) (net.Conn, error) {
		c, err := dial(ctx, network, to)
		if err != nil || to != address {
			return c, err
		}
		g := &conn{Conn: c, waits: make(chan struct{}, 1), closed: make(chan struct{})}
		go g.loop()
		return g, nil
	}
}

// conn implements net.Conn.
type conn struct {
	net.Conn

	waits  chan struct{} // something is in buf
	closed chan struct{}
	once   sync.Once

	mu  sync.Mutex
	buf []byte
	err error
}

// Write implements net.Conn.
func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.closed:
		if c.err != nil {
			return 0, c.err
		}
		return 0, net.ErrClosed
	default:
	}
	if len(c.buf)+len(p) > limit {
		c.flush()
	}
	if c.err != nil {
		return 0, c.err
	}
	if len(p) > limit {
		return c.send(p)
	}
	c.buf = append(c.buf, p...)
	select {
	case c.waits <- struct{}{}:
	default:
	}
	return len(p), nil
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// loop sends what waits. It has its turn when the goroutine that writes has nothing more to write.
func (c *conn) loop() {
	for {
		select {
		case <-c.waits:
			c.mu.Lock()
			c.flush()
			c.mu.Unlock()
		case <-c.closed:
			return
		}
	}
}

func (c *conn) flush() {
	if len(c.buf) == 0 || c.err != nil {
		return
	}
	_, _ = c.send(c.buf) // the error is that of the next write
	c.buf = c.buf[:0]
}

// send writes p at once.
func (c *conn) send(p []byte) (n int, err error) {
	if n, err = c.Conn.Write(p); err != nil {
		c.err = err
		_ = c.Close() // ends the reader too: it waits for an answer
	}
	return n, err
}
