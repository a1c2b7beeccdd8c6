package harness

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
)

const (
	// maxHeader and maxBody bound a request, in bytes. Lambda's own limit of a response is 6 MB.
	maxHeader = 64 << 10
	maxBody   = 16 << 20
)

// field is one header or trailer.
type field struct{ name, value string }

// request is one HTTP/1.1 request. Its body is valid until the next one is read.
type request struct {
	method, path    string
	header, trailer []field
	body            []byte
}

// get returns the value of a header, or "". Names have no case.
func get(fields []field, name string) string {
	for _, f := range fields {
		if strings.EqualFold(f.name, name) {
			return f.value
		}
	}
	return ""
}

// wire is one connection of HTTP/1.1. One goroutine uses it.
type wire struct {
	conn net.Conn
	r    *bufio.Reader
	req  request
	out  []byte
}

func newWire(conn net.Conn) *wire {
	return &wire{conn: conn, r: bufio.NewReaderSize(conn, maxHeader)}
}

// read reads the next request. It returns io.EOF when the client has closed the connection between two requests.
func (w *wire) read() (*request, error) {
	q := &w.req
	q.header, q.trailer, q.body = q.header[:0], q.trailer[:0], q.body[:0]
	line, err := w.line()
	if err != nil {
		if line == nil && errors.Is(err, io.EOF) {
			return nil, io.EOF
		}
		return nil, fmt.Errorf("read request line: %w", err)
	}
	method, rest, ok := strings.Cut(string(line), " ")
	path, version, ok2 := strings.Cut(rest, " ")
	if !ok || !ok2 || version != "HTTP/1.1" {
		return nil, fmt.Errorf("read request line: %q is not one of HTTP/1.1", line)
	}
	q.method, q.path = method, path
	if q.header, err = w.fields(q.header); err != nil {
		return nil, fmt.Errorf("read header: %w", err)
	}
	return q, w.body()
}

// line returns the next line without its end. It is valid until the next read.
func (w *wire) line() ([]byte, error) {
	line, err := w.r.ReadSlice('\n')
	if err != nil {
		if len(line) > 0 && errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return bytes.TrimSuffix(line[:len(line)-1], []byte("\r")), nil
}

// fields appends header or trailer fields up to the empty line.
func (w *wire) fields(to []field) ([]field, error) {
	for {
		line, err := w.line()
		if err != nil {
			return to, unexpected(err)
		}
		if len(line) == 0 {
			return to, nil
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			return to, fmt.Errorf("%q is not a field", line)
		}
		to = append(to, field{string(name), string(bytes.TrimSpace(value))})
	}
}

// body reads the body, whole or in chunks.
func (w *wire) body() error {
	if strings.EqualFold(get(w.req.header, "Transfer-Encoding"), "chunked") {
		return w.chunks()
	}
	length := get(w.req.header, "Content-Length")
	if length == "" {
		return nil
	}
	n, err := strconv.ParseInt(length, 10, 64)
	if err != nil || n < 0 || n > maxBody {
		return fmt.Errorf("read body: Content-Length is %q", length)
	}
	return w.more(int(n))
}

// chunks reads chunks up to the last one, and the trailers after it. (RFC 9112 section 7.1.)
func (w *wire) chunks() error {
	for {
		line, err := w.line()
		if err != nil {
			return fmt.Errorf("read chunk: %w", unexpected(err))
		}
		size, _, _ := bytes.Cut(line, []byte(";"))
		n, err := strconv.ParseUint(string(bytes.TrimSpace(size)), 16, 32)
		if err != nil {
			return fmt.Errorf("read chunk: %q is not a size", line)
		}
		if n == 0 {
			if w.req.trailer, err = w.fields(w.req.trailer); err != nil {
				return fmt.Errorf("read trailer: %w", err)
			}
			return nil
		}
		if len(w.req.body)+int(n) > maxBody {
			return errors.New("read chunk: the body is too large")
		}
		if err := w.more(int(n)); err != nil {
			return err
		}
		if line, err := w.line(); err != nil || len(line) != 0 {
			return errors.New("read chunk: its end is missing")
		}
	}
}

// more appends n bytes to the body.
func (w *wire) more(n int) error {
	had := len(w.req.body)
	if cap(w.req.body) < had+n {
		w.req.body = append(make([]byte, 0, 2*(had+n)), w.req.body...)
	}
	w.req.body = w.req.body[:had+n]
	if _, err := io.ReadFull(w.r, w.req.body[had:]); err != nil {
		return fmt.Errorf("read body: %w", unexpected(err))
	}
	return nil
}

// write sends a response in one write.
func (w *wire) write(status string, header []field, body []byte) error {
	w.out = append(append(w.out[:0], "HTTP/1.1 "...), status...)
	for _, f := range header {
		w.out = append(append(w.out, "\r\n"...), f.name...)
		w.out = append(append(w.out, ": "...), f.value...)
	}
	w.out = strconv.AppendInt(append(w.out, "\r\nContent-Length: "...), int64(len(body)), 10)
	w.out = append(append(w.out, "\r\n\r\n"...), body...)
	_, err := w.conn.Write(w.out)
	return err
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
