package admin_test

import (
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/local/admin"
)

func TestGrantNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	full := map[string]string{
		"AUTH_TABLE": "t", "IDENTIFIER_KEY_SECRET": `{"key":"` + strings.Repeat("k", 32) + `"}`,
		"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s",
	}
	for name, value := range map[string]string{
		"AUTH_TABLE": "", "IDENTIFIER_KEY_SECRET": "", "AWS_REGION": "", "AWS_ACCESS_KEY_ID": "", "AWS_ENDPOINT_URL_DYNAMODB": "no-url",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := admin.Grant(t.Context(), admin.FromEnvironment(func(n string) string {
				if n == name {
					return value
				}
				return full[n]
			}), "maria@shop.example")
			if err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "kkk") {
				t.Errorf("got %v, want an error that names %s", err, name)
			}
		})
	}
}
