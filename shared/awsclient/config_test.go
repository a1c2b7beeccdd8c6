package awsclient_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/shared/awsclient"
)

func TestWithHTTP(t *testing.T) {
	t.Parallel()
	_, err := awsclient.Config{}.WithHTTP()
	for _, name := range []string{"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		if err == nil || !strings.Contains(err.Error(), name+" is empty") {
			t.Errorf("got %v, want an error that names %s", err, name)
		}
	}

	cfg := awsclient.Config{Region: "eu-central-1", AccessKeyID: "id", SecretAccessKey: "key"}
	if got, err := cfg.WithHTTP(); err != nil || got.HTTP == nil {
		t.Errorf("got %v, %v; want an HTTP client", got.HTTP, err)
	}
	cfg.HTTP = &http.Client{}
	if got, err := cfg.WithHTTP(); err != nil || got.HTTP != cfg.HTTP {
		t.Errorf("got another HTTP client than the one given, %v", err)
	}
}

func TestCheckEndpoint(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ endpoint, want string }{
		"AWS":                 {"", ""},
		"Local":               {"http://127.0.0.1:8000", ""},
		"Secure":              {"https://vpce-1.dynamodb.eu-central-1.vpce.amazonaws.com/", ""},
		"Path":                {"https://proxy.example/ddb", ""},
		"Relative":            {"localhost:8000", "absolute"},
		"NoHost":              {"http://:8000", "absolute"},
		"OtherScheme":         {"ftp://example.com", "absolute"},
		"NotAURL":             {"http://[::1", "absolute"},
		"Query":               {"http://localhost:8000/?canary", "without"},
		"User":                {"http://canary@localhost", "without"},
		"UnresolvedReference": {"http://{{resolve:ssm:/canary}}:8000", "CloudFormation reference"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := awsclient.CheckEndpoint(c.endpoint)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "canary")) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
