package jwt_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/jwt"
)

func Example() {
	cfg := jwt.Config{Issuer: "https://auth.shop.example", Audience: "shop-api", TTL: 15 * time.Minute}
	// A secret holds the keys. This one is for the example.
	keys, err := jwt.ParseKeys([]byte(`{"kid":"k1","alg":"HS256","status":"active","key":"` + strings.Repeat("0123456789abcdef", 4) + `"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	signer, err := jwt.NewSigner(cfg, keys, time.Now)
	if err != nil {
		fmt.Println(err)
		return
	}
	verifier, err := jwt.NewVerifier(cfg, keys, time.Now)
	if err != nil {
		fmt.Println(err)
		return
	}

	token, _, err := signer.Sign(identity.Identity{Subject: "maria", Roles: []string{"customer"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	caller, err := verifier.Verify(token)
	fmt.Println(caller.Subject, caller.Roles, err)
	_, err = verifier.Verify(token + "x")
	fmt.Println(err != nil)
	// Output:
	// maria [customer] <nil>
	// true
}
