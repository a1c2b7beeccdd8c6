// Package awsclienttest has a server whose answers break off, for tests of clients.
package awsclienttest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
)

// End is what follows the last byte of an answer.
type End int

const (
	// Close ends the connection in order.
	Close End = iota
	// Reset ends it with a TCP reset.
	Reset
	// Stall sends nothing more and keeps the connection open until the client closes it.
	Stall
)

// String returns the end's name.
func (e End) String() string { return [...]string{"Close", "Reset", "Stall"}[e] }

// Answer returns an HTTP/1.1 answer with its length, as bytes on the wire.
func Answer(status int, contentType, body string) string {
	return fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		status, http.StatusText(status), contentType, len(body), body)
}

// Serve starts a server for the test and returns its URL. It reads one request of each connection, sends
// the answer's bytes and ends the connection.
func Serve(t *testing.T, answer string, end End) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(conn, answer, end)
		}
	}()
	return "http://" + listener.Addr().String()
}

func serve(conn net.Conn, answer string, end End) {
	defer func() { _ = conn.Close() }()
	request, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return
	}
	if _, err := io.Copy(io.Discard, request.Body); err != nil {
		return
	}
	if _, err := io.WriteString(conn, answer); err != nil {
		return
	}
	switch tcp, ok := conn.(*net.TCPConn); {
	case end == Reset && ok:
		_ = tcp.SetLinger(0)
	case end == Stall:
		_, _ = io.Copy(io.Discard, conn)
	}
}
