// Package awshttp makes the HTTP client that AWS clients send with: short timeouts, idle connections
// that are given up before AWS closes them, and Amazon's own few roots towards AWS, so that the first
// TLS handshake of a process is cheap.
package awshttp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	_ "embed"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// amazonRoots holds the certificates of https://www.amazontrust.com/repository/.
//
//go:embed amazon_trust_services.pem
var amazonRoots []byte

const (
	dialTimeout      = time.Second
	handshakeTimeout = 2 * time.Second
	// idleConnTimeout is shorter than the SDK's 90 s. DynamoDB closes idle connections earlier, and
	// a frozen environment does not see it: the next request would go out on a dead connection.
	// https://github.com/aws/aws-sdk-go-v2/issues/3423
	idleConnTimeout = 20 * time.Second
	// maxIdleConns keeps the connections of one request's parallel calls.
	maxIdleConns = 16
)

// NewClient returns a client for an endpoint; "" is AWS's own of the region. attempt bounds one
// request from dialling to the last byte of the answer. It follows no redirect: that would lose the
// signature.
func NewClient(endpoint string, attempt time.Duration) (*http.Client, error) {
	transport, err := newTransport(endpoint)
	if err != nil {
		return nil, err
	}
	return &http.Client{
		Transport:     transport,
		Timeout:       attempt,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// newTransport returns the transport for an endpoint. Towards AWS it verifies with the few roots
// that sign AWS endpoints. Parsing the whole system pool costs the first connection 11 ms of CPU,
// which at 256 MB is about 80 ms.
func newTransport(endpoint string) (*http.Transport, error) {
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}
	t := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         dialer.DialContext,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: handshakeTimeout,
		IdleConnTimeout:     idleConnTimeout,
		MaxIdleConns:        maxIdleConns,
		MaxIdleConnsPerHost: maxIdleConns,
	}
	if !isAWS(endpoint) {
		return t, nil
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(amazonRoots) {
		return nil, errors.New("awshttp: the embedded Amazon roots hold no certificate")
	}
	t.DialTLSContext = (&pinnedDialer{dial: dialer.DialContext, roots: pool}).dialTLS
	return t, nil
}

// isAWS reports whether the endpoint is AWS's own: the default one, an interface endpoint or a
// dual-stack one.
func isAWS(endpoint string) bool {
	if endpoint == "" {
		return true
	}
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	host := strings.ToLower(u.Hostname())
	return strings.HasSuffix(host, ".amazonaws.com") || strings.HasSuffix(host, ".api.aws")
}

// pinnedDialer verifies servers with its own roots, and with the system's when those do not know
// the server's authority (another partition, a proxy that opens TLS). No other failure of the
// handshake is given a second chance.
type pinnedDialer struct {
	dial  func(ctx context.Context, network, addr string) (net.Conn, error)
	roots *x509.CertPool
	// system is the pool to fall back to; nil is the system's.
	system *x509.CertPool

	unknown atomic.Bool // roots did not know the authority: ask the system's at once
}

func (d *pinnedDialer) dialTLS(ctx context.Context, network, addr string) (net.Conn, error) {
	if !d.unknown.Load() {
		conn, err := d.handshake(ctx, network, addr, d.roots)
		if _, ok := errors.AsType[x509.UnknownAuthorityError](err); !ok {
			return conn, err
		}
	}
	conn, err := d.handshake(ctx, network, addr, d.system)
	if err == nil {
		d.unknown.Store(true)
	}
	return conn, err
}

func (d *pinnedDialer) handshake(ctx context.Context, network, addr string, roots *x509.CertPool) (net.Conn, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	raw, err := d.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	conn := tls.Client(raw, &tls.Config{ServerName: host, RootCAs: roots, MinVersion: tls.VersionTLS12})
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = raw.Close() // the handshake's error says more
		return nil, err
	}
	return conn, nil
}
