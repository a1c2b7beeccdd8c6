package awsclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	_ "embed"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// amazonRoots holds the certificates of https://www.amazontrust.com/repository/.
//
//go:embed amazon_trust_services.pem
var amazonRoots []byte

const (
	// attemptTimeout bounds one request from dialling to the last byte of the answer. AWS answers within
	// milliseconds; a request that has taken this long is better sent again.
	attemptTimeout = 3 * time.Second
	// IdleTimeout is how long an idle connection is kept. It is shorter than the SDK's 90 s: DynamoDB closes
	// idle connections earlier, and a frozen environment does not see it, so that the next request would go
	// out on a dead connection. https://github.com/aws/aws-sdk-go-v2/issues/3423
	IdleTimeout = 20 * time.Second

	dialTimeout      = time.Second
	handshakeTimeout = 2 * time.Second
	// maxIdleConns keeps the connections of parallel calls: of one request, or on Lambda Managed Instances of up to 64
	// requests for each processor. With fewer most calls there would begin with a handshake. Lambda allows 1024 files.
	maxIdleConns = 256
)

// NewHTTP returns the HTTP client that a process shares between its AWS clients. Towards AWS it verifies
// servers with the few roots that sign AWS endpoints: parsing the system's whole pool costs the first
// connection 11 ms of CPU, which at 256 MB is about 80 ms. It follows no redirect: that would lose the
// signature.
func NewHTTP() *http.Client {
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}
	return &http.Client{
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         dialer.DialContext,
			DialTLSContext:      (&pinnedDialer{dial: dialer.DialContext, roots: sync.OnceValues(embedded)}).dialTLS,
			TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12}, // through a proxy
			TLSHandshakeTimeout: handshakeTimeout,
			IdleConnTimeout:     IdleTimeout,
			MaxIdleConns:        maxIdleConns,
			MaxIdleConnsPerHost: maxIdleConns,
		},
		Timeout:       attemptTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// embedded returns the roots that sign AWS endpoints.
func embedded() (*x509.CertPool, error) {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(amazonRoots) {
		return nil, errors.New("awsclient: the embedded Amazon roots hold no certificate")
	}
	return roots, nil
}

// isAWS reports whether the host belongs to AWS: a regional endpoint, an interface endpoint or a dual-stack one.
func isAWS(host string) bool {
	host = strings.ToLower(host)
	for _, domain := range []string{".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu", ".api.aws"} {
		if strings.HasSuffix(host, domain) {
			return true
		}
	}
	return false
}

// pinnedDialer verifies AWS with its own roots, and with the system's when those do not know the server's
// authority (another partition, a proxy that opens TLS). It does not retry after any other failure of the
// handshake. It verifies other servers with the system's roots.
type pinnedDialer struct {
	dial  func(ctx context.Context, network, addr string) (net.Conn, error)
	roots func() (*x509.CertPool, error)
	// system is the pool to fall back to; nil is the system's.
	system *x509.CertPool

	useSystem atomic.Bool // roots did not know AWS's authority: use the system's at once
}

func (d *pinnedDialer) dialTLS(ctx context.Context, network, addr string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	pinned := isAWS(host)
	if pinned && !d.useSystem.Load() {
		roots, err := d.roots()
		if err != nil {
			return nil, err
		}
		conn, err := d.handshake(ctx, network, addr, host, roots)
		if _, ok := errors.AsType[x509.UnknownAuthorityError](err); !ok {
			return conn, err
		}
	}
	conn, err := d.handshake(ctx, network, addr, host, d.system)
	if pinned && err == nil {
		d.useSystem.Store(true)
	}
	return conn, err
}

func (d *pinnedDialer) handshake(ctx context.Context, network, addr, host string, roots *x509.CertPool) (net.Conn, error) {
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
