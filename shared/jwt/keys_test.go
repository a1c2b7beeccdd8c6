package jwt_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/shared/jwt"
)

// A value that is printed by mistake must not contain a key.
func TestNothingPrintsKeys(t *testing.T) {
	t.Parallel()

	for alg, secret := range deterministic() {
		keys := parseKeys(t, secret)
		values := []any{
			keys, newSigner(t, cfg, secret, noon), newVerifier(t, cfg, secret, noon),
			newRefreshSigner(t, refreshCfg, secret), newRefreshVerifier(t, secret, noon),
		}
		for _, v := range values {
			for _, format := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
				printed := fmt.Sprintf(format, v)
				if strings.Contains(printed, key1) || strings.Contains(printed, hex.EncodeToString([]byte(key1))) ||
					strings.Contains(printed, "PRIVATE") || len(printed) > 1000 {
					t.Errorf("%s: %s of a %T: %s", alg, format, v, printed)
				}
			}
			if data, err := json.Marshal(v); err != nil || string(data) != "{}" {
				t.Errorf("%s: JSON of a %T: %s, %v", alg, v, data, err)
			}
		}
	}
}

func TestSeparateKeysForEachKind(t *testing.T) {
	t.Parallel()

	all := pairs()
	for name, tt := range map[string]struct {
		access, refresh string
		shared          bool
	}{
		"Separate":         {secretOf("a", "active", key1), secretOf("a", "active", key2), false},
		"SameSecret":       {secretOf("a", "active", key1), secretOf("b", "active", key1), true},
		"OneOfMany":        {"[" + secretOf("a", "active", key1) + "," + secretOf("b", "next", key2) + "]", secretOf("c", "active", key2), true},
		"SamePair":         {spec("a", jwt.EdDSA, "active", all[jwt.EdDSA].pkix()), spec("b", jwt.EdDSA, "active", all[jwt.EdDSA].jwk), true},
		"DifferentKinds":   {spec("a", jwt.EdDSA, "active", all[jwt.EdDSA].pkix()), secretOf("b", "active", key1), false},
		"RevokedDoesNot":   {"[" + secretOf("a", "active", key1) + "," + secretOf("b", "revoked", key2) + "]", secretOf("c", "active", key2), false},
		"OtherPairOfAnAlg": {spec("a", jwt.ES256, "active", all[jwt.ES256].pkix()), spec("a", jwt.RS256, "active", all[jwt.RS256].jwk), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := jwt.Separate(parseKeys(t, tt.access), parseKeys(t, tt.refresh))
			if errors.Is(err, jwt.ErrKeys) != tt.shared {
				t.Errorf("got %v, want an error: %t", err, tt.shared)
			}
			if err != nil && strings.Contains(err.Error(), key2) {
				t.Errorf("the error contains the secret: %v", err)
			}
		})
	}
}
