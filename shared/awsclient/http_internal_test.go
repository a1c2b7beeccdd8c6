package awsclient

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
)

// The fingerprints that https://www.amazontrust.com/repository/ publishes.
func TestEmbeddedRootsAreAmazons(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"Amazon Root CA 1": "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
		"Amazon Root CA 2": "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
		"Amazon Root CA 3": "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
		"Amazon Root CA 4": "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
		"Starfield Services Root Certificate Authority - G2": "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5",
	}
	got := map[string]string{}
	for rest := amazonRoots; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(cert.Raw)
		got[cert.Subject.CommonName] = hex.EncodeToString(sum[:])
		if time.Until(cert.NotAfter) < 365*24*time.Hour {
			t.Errorf("%s ends on %s: renew the file", cert.Subject.CommonName, cert.NotAfter)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("roots (-want +got):\n%s", diff)
	}
}

func TestIsAWS(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"dynamodb.eu-central-1.amazonaws.com":             true,
		"vpce-1.dynamodb.eu-central-1.vpce.amazonaws.com": true,
		"dynamodb.eu-central-1.api.aws":                   true,
		"dynamodb.cn-north-1.amazonaws.com.cn":            true,
		"dynamodb.eusc-de-east-1.amazonaws.eu":            true,
		"DYNAMODB.EU-CENTRAL-1.AMAZONAWS.COM":             true,
		"127.0.0.1":                                       false,
		"amazonaws.com.example.com":                       false,
		"notamazonaws.com":                                false,
		"dynamodb.amazonaws.com.attack":                   false,
	} {
		if got := isAWS(host); got != want {
			t.Errorf("%s: got %t, want %t", host, got, want)
		}
	}
}

func TestPinnedDialer(t *testing.T) {
	t.Parallel()
	const aws = "dynamodb.eu-central-1.amazonaws.com"
	certificate := selfSigned(t, aws, "example.com")
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	own := x509.NewCertPool()
	own.AddCert(certificate.Leaf)
	amazon := x509.NewCertPool()
	amazon.AppendCertsFromPEM(amazonRoots)
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())

	for name, c := range map[string]struct {
		roots, system *x509.CertPool
		host          string
		wantErr       any
		wantDials     int // of the first connection
		wantAgain     int // of the second
	}{
		"OwnRootsKnowAWS":            {roots: own, system: amazon, host: aws, wantDials: 1, wantAgain: 1},
		"UnknownAuthorityAsksSystem": {roots: amazon, system: own, host: aws, wantDials: 2, wantAgain: 1},
		"NoRootsKnowAWS":             {roots: amazon, system: amazon, host: aws, wantErr: new(x509.UnknownAuthorityError), wantDials: 2, wantAgain: 2},
		"OtherNameIsNotRetried":      {roots: own, system: own, host: "other.amazonaws.com", wantErr: new(x509.HostnameError), wantDials: 1, wantAgain: 1},
		"OtherHostAsksSystem":        {roots: amazon, system: own, host: "example.com", wantDials: 1, wantAgain: 1},
		"OtherHostIsNotPinned":       {roots: own, system: amazon, host: "example.com", wantErr: new(x509.UnknownAuthorityError), wantDials: 1, wantAgain: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dials := 0
			d := &pinnedDialer{roots: always(c.roots), system: c.system, dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
				dials++
				return new(net.Dialer).DialContext(ctx, network, "127.0.0.1:"+port)
			}}
			for round, want := range []int{c.wantDials, c.wantAgain} {
				dials = 0
				conn, err := d.dialTLS(t.Context(), "tcp", net.JoinHostPort(c.host, port))
				if conn != nil {
					_ = conn.Close()
				}
				if c.wantErr == nil && err != nil {
					t.Fatal(err)
				}
				if c.wantErr != nil && (err == nil || !errors.As(err, c.wantErr)) {
					t.Errorf("got %v, want %T", err, c.wantErr)
				}
				if dials != want {
					t.Errorf("connection %d: %d dials, want %d", round+1, dials, want)
				}
			}
		})
	}
}

// selfSigned returns a certificate for the hosts that is its own authority.
func selfSigned(t *testing.T, hosts ...string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: hosts, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func always(pool *x509.CertPool) func() (*x509.CertPool, error) {
	return func() (*x509.CertPool, error) { return pool, nil }
}

func TestPinnedDialerRefusesPlainServer(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	d := &pinnedDialer{roots: always(x509.NewCertPool()), dial: new(net.Dialer).DialContext}
	if conn, err := d.dialTLS(t.Context(), "tcp", server.Listener.Addr().String()); err == nil {
		_ = conn.Close()
		t.Error("got a TLS connection to a plain server")
	}
}

// Calls that run in parallel, as on Lambda Managed Instances, use the connections of those before them.
func TestParallelCallsKeepTheirConnections(t *testing.T) {
	t.Parallel()
	const calls = 50
	var connections atomic.Int32
	met := make(chan struct{}, calls)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		met <- struct{}{}
		for len(met) < calls { // all are here at the same time
			time.Sleep(time.Millisecond)
		}
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	client := NewHTTP()
	for range 3 {
		var group errgroup.Group
		for range calls {
			group.Go(func() error {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, http.NoBody)
				if err != nil {
					return err
				}
				answer, err := client.Do(r)
				if err != nil {
					return err
				}
				_, err = io.Copy(io.Discard, answer.Body)
				return errors.Join(err, answer.Body.Close())
			})
		}
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
		for len(met) > 0 {
			<-met
		}
	}
	if got := connections.Load(); got > calls+calls/10 { // an answer's connection may come back just after the next call
		t.Errorf("%d connections for three times %d parallel calls", got, calls)
	}
}
