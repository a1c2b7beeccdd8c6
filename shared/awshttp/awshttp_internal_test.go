package awshttp

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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
	for endpoint, want := range map[string]bool{
		"": true,
		"https://dynamodb.eu-central-1.amazonaws.com":                    true,
		"https://vpce-1.dynamodb.eu-central-1.vpce.amazonaws.com":        true,
		"https://dynamodb.eu-central-1.api.aws":                          true,
		"https://DYNAMODB.EU-CENTRAL-1.AMAZONAWS.COM":                    true,
		"http://127.0.0.1:8000":                                          false,
		"https://amazonaws.com.example.com":                              false,
		"https://notamazonaws.com":                                       false,
		"https://example.com/?host=dynamodb.eu-central-1.amazonaws.com/": false,
	} {
		t.Run(endpoint, func(t *testing.T) {
			t.Parallel()
			if got := isAWS(endpoint); got != want {
				t.Errorf("got %t, want %t", got, want)
			}
			transport, err := newTransport(endpoint)
			if err != nil {
				t.Fatal(err)
			}
			if pinned := transport.DialTLSContext != nil; pinned != want {
				t.Errorf("pinned: %t, want %t", pinned, want)
			}
		})
	}
}

func TestPinnedDialer(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	knows := x509.NewCertPool()
	knows.AddCert(server.Certificate())
	amazon := x509.NewCertPool()
	amazon.AppendCertsFromPEM(amazonRoots)
	// The test server's certificate is for example.com and 127.0.0.1.
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())

	for name, c := range map[string]struct {
		roots, system *x509.CertPool
		host          string
		wantErr       any
		wantDials     int // of the first connection
		wantAgain     int // of the second
	}{
		"OwnRootsKnowTheServer":       {roots: knows, system: amazon, host: "example.com", wantDials: 1, wantAgain: 1},
		"UnknownAuthorityAsksSystem":  {roots: amazon, system: knows, host: "example.com", wantDials: 2, wantAgain: 1},
		"NobodyKnowsTheServer":        {roots: amazon, system: amazon, host: "example.com", wantErr: new(x509.UnknownAuthorityError), wantDials: 2, wantAgain: 2},
		"AnotherNameIsNoSecondChance": {roots: knows, system: knows, host: "dynamodb.eu-central-1.amazonaws.com", wantErr: new(x509.HostnameError), wantDials: 1, wantAgain: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dials := 0
			d := &pinnedDialer{roots: c.roots, system: c.system, dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
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

func TestPinnedDialerRefusesPlainServer(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	d := &pinnedDialer{roots: x509.NewCertPool(), dial: new(net.Dialer).DialContext}
	if conn, err := d.dialTLS(t.Context(), "tcp", server.Listener.Addr().String()); err == nil {
		_ = conn.Close()
		t.Error("spoke TLS to a server that does not")
	}
}
