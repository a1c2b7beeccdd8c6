package secretsaws_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/secrets"
	"github.com/tienda-dev/tienda/shared/secrets/secretsaws"
)

var _ secrets.Getter = (*secretsaws.Client)(nil)

const arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:token-keys-AbCdEf"

func newClient(t *testing.T, handler http.HandlerFunc) *secretsaws.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	client, err := secretsaws.New(secretsaws.Config{
		Region: "eu-west-1", AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "key", SessionToken: "session",
		Endpoint: server.URL,
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestGet(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		status     int
		body, want string
		err        string
	}{
		"String":     {200, `{"SecretString":"[{\"kid\":\"a\"}]"}`, `[{"kid":"a"}]`, ""},
		"Binary":     {200, `{"SecretBinary":"eyJraWQiOiJhIn0="}`, `{"kid":"a"}`, ""},
		"NoValue":    {200, `{}`, "", "no value"},
		"NotFound":   {400, `{"__type":"ResourceNotFoundException","Message":"gone"}`, "", "ResourceNotFoundException"},
		"NotAllowed": {400, `{"__type":"AccessDeniedException","Message":"no"}`, "", "AccessDeniedException"},
		"Unreadable": {200, `{"SecretString":"canary`, "", "could not be read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
				var in struct {
					ID string `json:"SecretId"`
				}
				if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.ID != arn {
					t.Errorf("asked for %q, %v", in.ID, err)
				}
				if got := r.Header.Get("X-Amz-Target"); got != "secretsmanager.GetSecretValue" {
					t.Errorf("target %q", got)
				}
				if auth := r.Header.Get("Authorization"); !strings.Contains(auth, "AKIDEXAMPLE/") ||
					!strings.Contains(auth, "/eu-west-1/secretsmanager/") || r.Header.Get("X-Amz-Security-Token") != "session" {
					t.Errorf("signed with %q", auth)
				}
				w.Header().Set("Content-Type", "application/x-amz-json-1.1")
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body)
			})

			got, err := client.Get(t.Context(), arn)
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Fatalf("error = %v, want %q", err, tt.err)
			}
			if err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("error carries the secret: %v", err)
			}
			if string(got) != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestGetStopsWithItsContext(t *testing.T) {
	t.Parallel()

	release := make(chan struct{})
	client := newClient(t, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()

	start := time.Now()
	if _, err := client.Get(ctx, arn); err == nil {
		t.Error("no error")
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestSecretOfAnotherRegionIsAskedForThere(t *testing.T) {
	t.Parallel()

	var host string
	client, err := secretsaws.New(secretsaws.Config{
		Region: "eu-west-1", AccessKeyID: "id", SecretAccessKey: "key",
		HTTPClient: doer(func(r *http.Request) (*http.Response, error) {
			host = r.URL.Host
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"SecretString":"x"}`))}, nil
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Get(t.Context(), strings.Replace(arn, "eu-west-1", "us-east-2", 1)); err != nil {
		t.Fatal(err)
	}
	if want := "secretsmanager.us-east-2.amazonaws.com"; host != want {
		t.Errorf("asked %s, want %s", host, want)
	}
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

func TestNewNeedsRegionAndCredentials(t *testing.T) {
	t.Parallel()

	for name, cfg := range map[string]secretsaws.Config{
		"Region":          {AccessKeyID: "id", SecretAccessKey: "key"},
		"AccessKeyID":     {Region: "eu-west-1", SecretAccessKey: "key"},
		"SecretAccessKey": {Region: "eu-west-1", AccessKeyID: "id"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := secretsaws.New(cfg); err == nil {
				t.Error("accepted")
			}
		})
	}
}
