package ddb_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/tienda-dev/tienda/shared/awsclient"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
)

func working() ddb.Config {
	return ddb.Config{Config: awsclient.Config{Region: "eu-central-1", AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret", SessionToken: "session"}}
}

func TestOpenValidates(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit func(*ddb.Config)
		want []string // parts of the error; none is success
	}{
		"AWS":                  {edit: func(*ddb.Config) {}},
		"LocalEndpoint":        {edit: func(c *ddb.Config) { c.Endpoint = "http://127.0.0.1:8000" }},
		"SecureEndpoint":       {edit: func(c *ddb.Config) { c.Endpoint = "https://vpce-1.dynamodb.eu-central-1.vpce.amazonaws.com/" }},
		"NoSessionToken":       {edit: func(c *ddb.Config) { c.SessionToken = "" }},
		"EveryMissingVariable": {edit: func(c *ddb.Config) { *c = ddb.Config{} }, want: []string{"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}},
		"RelativeEndpoint":     {edit: func(c *ddb.Config) { c.Endpoint = "localhost:8000" }, want: []string{ddb.EnvEndpoint, "absolute"}},
		"NoHost":               {edit: func(c *ddb.Config) { c.Endpoint = "http://:8000" }, want: []string{ddb.EnvEndpoint, "absolute"}},
		"OtherScheme":          {edit: func(c *ddb.Config) { c.Endpoint = "ftp://example.com" }, want: []string{ddb.EnvEndpoint, "absolute"}},
		"NoURL":                {edit: func(c *ddb.Config) { c.Endpoint = "http://[::1" }, want: []string{ddb.EnvEndpoint, "absolute"}},
		"Query":                {edit: func(c *ddb.Config) { c.Endpoint = "http://localhost:8000/?a=b" }, want: []string{ddb.EnvEndpoint, "without"}},
		"UnresolvedReference": {
			edit: func(c *ddb.Config) { c.Endpoint = "{{resolve:ssm:/tienda/endpoint}}" },
			want: []string{ddb.EnvEndpoint, "CloudFormation reference"},
		},
		"UnresolvedReferenceInsideAURL": {
			edit: func(c *ddb.Config) { c.Endpoint = "http://{{resolve:ssm:/host}}:8000" },
			want: []string{ddb.EnvEndpoint, "CloudFormation reference"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := working()
			c.edit(&cfg)
			client, err := ddb.Open(cfg)
			if len(c.want) == 0 {
				if err != nil || client == nil {
					t.Errorf("got %v, %v", client, err)
				}
				return
			}
			if err == nil {
				t.Fatal("no error")
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not say %q", err, part)
				}
			}
		})
	}
}

func TestOpenDoesNotRepeatAPassword(t *testing.T) {
	t.Parallel()
	cfg := working()
	cfg.Endpoint = "http://user:hunter2@localhost:8000"
	_, err := ddb.Open(cfg)
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}

func TestRequestGoesWhereConfigSays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ endpoint, want string }{
		"AWS":      {"", "https://dynamodb.eu-central-1.amazonaws.com/"},
		"Endpoint": {"http://127.0.0.1:8000", "http://127.0.0.1:8000/"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got *http.Request
			next := respond(func(r *http.Request) (*http.Response, error) {
				got = r
				return ddbtest.Respond(r, http.StatusOK, `{}`), nil
			})
			cfg := working()
			cfg.Endpoint = c.endpoint
			client, err := ddb.Open(cfg, func(o *dynamodb.Options) { o.HTTPClient = &http.Client{Transport: next} })
			if err != nil {
				t.Fatal(err)
			}
			if err := ddb.NewTable(client, "commerce").Warm(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got.URL.String() != c.want {
				t.Errorf("sent to %s, want %s", got.URL, c.want)
			}
			if got.Header.Get("X-Amz-Security-Token") != "session" ||
				!strings.Contains(got.Header.Get("Authorization"), "Credential=AKIDEXAMPLE/") {
				t.Errorf("not signed by the role: %v", got.Header)
			}
			if target := got.Header.Get("X-Amz-Target"); target != "DynamoDB_20120810.GetItem" {
				t.Errorf("warm-up sent %s", target)
			}
		})
	}
}

// respond is a DynamoDB made of a function.
type respond func(*http.Request) (*http.Response, error)

func (f respond) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// newTable returns a table whose every attempt goes to next.
func newTable(t *testing.T, next http.RoundTripper) *ddb.Table {
	t.Helper()
	client, err := ddb.Open(working(), func(o *dynamodb.Options) {
		o.HTTPClient = &http.Client{Transport: next, Timeout: time.Minute}
	})
	if err != nil {
		t.Fatal(err)
	}
	return ddb.NewTable(client, "commerce")
}
