package harness

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"time"
)

// Authority is a certificate authority with an intermediate one, as those of AWS's endpoints have, and the certificate of
// the backends. Its keys are in memory only.
type Authority struct {
	server *tls.Config
	root   []byte // PEM
}

// NewAuthority makes an authority whose certificates are valid for a day.
func NewAuthority() (*Authority, error) {
	root, rootKey, err := certify("Tienda bench root", nil, nil, true)
	if err != nil {
		return nil, err
	}
	middle, middleKey, err := certify("Tienda bench intermediate", root, rootKey, true)
	if err != nil {
		return nil, err
	}
	leaf, key, err := certify("localhost", middle, middleKey, false)
	if err != nil {
		return nil, err
	}
	return &Authority{
		server: &tls.Config{
			MinVersion:   tls.VersionTLS12,
			Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Raw, middle.Raw}, PrivateKey: key}},
		},
		root: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw}),
	}, nil
}

// Root returns the root certificate as PEM.
func (a *Authority) Root() []byte { return a.root }

// WriteBundle writes a trust store of the machine's roots and this authority's, for SSL_CERT_FILE: a function that parses the
// system's store pays for as many roots as on AWS. It reports how many roots the machine has.
func (a *Authority) WriteBundle(path string) (roots int, err error) {
	var bundle []byte
	for _, file := range []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"} {
		text, err := os.ReadFile(file)
		if err == nil {
			bundle = text
			break
		}
	}
	for rest := bundle; ; roots++ {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
	}
	return roots, os.WriteFile(path, append(bundle, a.root...), 0o600)
}

// certify makes a certificate that parent signs, or that signs itself.
func certify(name string, parent *x509.Certificate, parentKey *ecdsa.PrivateKey, authority bool) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature,
	}
	if authority {
		template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	} else {
		template.DNSNames, template.ExtKeyUsage = []string{name}, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	if parent == nil {
		parent, parentKey = template, key
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		return nil, nil, fmt.Errorf("certify %s: %w", name, err)
	}
	certificate, err := x509.ParseCertificate(raw)
	return certificate, key, errors.Join(err)
}
