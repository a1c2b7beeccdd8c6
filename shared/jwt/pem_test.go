package jwt_test

import (
	"crypto/rsa"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"testing"

	"github.com/tienda-dev/tienda/shared/jwt"
)

// pkcs1Key is RSAPrivateKey of RFC 8017 appendix A.1.2.
type pkcs1Key struct {
	Version          int
	N                *big.Int
	E                int
	D, P, Q          *big.Int
	DP, DQ, QInverse *big.Int
}

// der returns the changed key as PKCS #1; crypto/x509 does not write invalid keys.
func (p pair) der(change func(*pkcs1Key)) []byte {
	private := p.private.(*rsa.PrivateKey)
	k := pkcs1Key{
		N: private.N, E: private.E, D: private.D, P: private.Primes[0], Q: private.Primes[1],
		DP: private.Precomputed.Dp, DQ: private.Precomputed.Dq, QInverse: private.Precomputed.Qinv,
	}
	change(&k)
	return must(asn1.Marshal(k))
}

func (p pair) pkcs1(change func(*pkcs1Key)) string { return pemOf("RSA PRIVATE KEY", p.der(change)) }

func (p pair) pkcs8With(change func(*pkcs1Key)) string {
	type algorithm struct {
		ID         asn1.ObjectIdentifier
		Parameters asn1.RawValue
	}
	return pemOf("PRIVATE KEY", must(asn1.Marshal(struct {
		Version   int
		Algorithm algorithm
		Key       []byte
	}{0, algorithm{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}, asn1.NullRawValue}, p.der(change)})))
}

// pemWithHeaders is a good key in a block with a header, like an encrypted key.
func pemWithHeaders(p pair) string {
	block, _ := pem.Decode([]byte(p.pkcs1(func(*pkcs1Key) {})))
	block.Headers = map[string]string{"Proc-Type": "4,CLEAR"}
	return string(pem.EncodeToMemory(block))
}

// The unchanged forms must be accepted: otherwise the cases that use them prove nothing.
func TestUnchangedPEMIsAKey(t *testing.T) {
	t.Parallel()

	p := pairs()[jwt.RS256]
	same := func(*pkcs1Key) {}
	for name, text := range map[string]string{"PKCS1": p.pkcs1(same), "PKCS8": p.pkcs8With(same)} {
		token := mint(t, newSigner(t, cfg, spec("a", jwt.RS256, "active", text), noon), alice())
		if _, err := newVerifier(t, cfg, spec("a", jwt.RS256, "active", p.pkix()), noon).Verify(token); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
