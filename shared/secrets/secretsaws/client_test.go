package secretsaws_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/tienda-dev/tienda/shared/awsclient"
	"github.com/tienda-dev/tienda/shared/awsclient/awsclienttest"
	"github.com/tienda-dev/tienda/shared/awsjson"
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
		Config:   awsclient.Config{Region: "eu-west-1", AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "key", SessionToken: "session"},
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
		"Unreadable": {200, `{"SecretString":"canary`, "", "not JSON"},
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

	if _, err := client.Get(ctx, arn); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestSecretOfAnotherRegionIsAskedForThere(t *testing.T) {
	t.Parallel()

	var host string
	client, err := secretsaws.New(secretsaws.Config{
		Config: caller(func(r *http.Request) (*http.Response, error) {
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

func (d doer) RoundTrip(r *http.Request) (*http.Response, error) { return d(r) }

// caller returns a configuration whose requests are answered by d.
func caller(d doer) awsclient.Config {
	return awsclient.Config{Region: "eu-west-1", AccessKeyID: "id", SecretAccessKey: "key", HTTP: &http.Client{Transport: d}}
}

func TestNewNeedsRegionAndCredentials(t *testing.T) {
	t.Parallel()

	for name, change := range map[string]func(*secretsaws.Config){
		"Region":          func(c *secretsaws.Config) { c.Region = "" },
		"AccessKeyID":     func(c *secretsaws.Config) { c.AccessKeyID = "" },
		"SecretAccessKey": func(c *secretsaws.Config) { c.SecretAccessKey = "" },
		"Endpoint":        func(c *secretsaws.Config) { c.Endpoint = "localhost:4566" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := secretsaws.Config{Config: caller(nil)}
			change(&cfg)
			if _, err := secretsaws.New(cfg); err == nil {
				t.Error("accepted")
			}
		})
	}
}

func TestGetTriesAgain(t *testing.T) {
	t.Parallel()

	answer := func(status int, body string) doer {
		return func(*http.Request) (*http.Response, error) {
			return &http.Response{
				StatusCode: status, Header: http.Header{"X-Amzn-Requestid": {"r-1"}}, Body: io.NopCloser(strings.NewReader(body)),
			}, nil
		}
	}
	good := answer(200, `{"SecretString":"x"}`)
	busy := answer(400, `{"__type":"com.amazonaws#ThrottlingException","message":"slow down"}`)
	broken := func(*http.Request) (*http.Response, error) { return nil, errors.New("connection reset by peer") }
	brokeOff := func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF))}, nil
	}
	denied := answer(400, `{"__type":"AccessDeniedException","Message":"no"}`)

	for name, tt := range map[string]struct {
		answers []doer
		calls   int
		err     string
	}{
		"Throttled":        {[]doer{busy, good}, 2, ""},
		"ServerError":      {[]doer{answer(500, ""), answer(503, "{}"), good}, 3, ""},
		"TooManyRequests":  {[]doer{answer(429, ""), good}, 2, ""},
		"Connection":       {[]doer{broken, brokeOff, good}, 3, ""},
		"FourTimesIsAll":   {[]doer{busy, busy, busy, busy, good}, 4, "400 ThrottlingException (request r-1): slow down"},
		"DeniedIsNotAgain": {[]doer{denied, good}, 1, "AccessDeniedException"},
		"EmptyIsNotAgain":  {[]doer{answer(200, "{}"), good}, 1, "no value"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			client, err := secretsaws.New(secretsaws.Config{
				Config: caller(func(r *http.Request) (*http.Response, error) {
					if body, err := io.ReadAll(r.Body); err != nil || !strings.Contains(string(body), arn) {
						t.Errorf("attempt %d sends %q, %v", calls+1, body, err)
					}
					calls++
					return tt.answers[calls-1](r)
				}),
			})
			if err != nil {
				t.Fatal(err)
			}
			_, err = client.Get(t.Context(), arn)
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("error = %v, want %q", err, tt.err)
			}
			if calls != tt.calls {
				t.Errorf("%d attempts, want %d", calls, tt.calls)
			}
		})
	}
}

func TestEndpointOfThePartition(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct{ arn, host, err string }{
		{arn, "secretsmanager.eu-west-1.amazonaws.com", ""},
		{"arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:x", "secretsmanager.us-gov-west-1.amazonaws.com", ""},
		{"arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:x", "secretsmanager.cn-north-1.amazonaws.com.cn", ""},
		{"arn:aws-eusc:secretsmanager:eusc-de-east-1:123456789012:secret:x", "secretsmanager.eusc-de-east-1.amazonaws.eu", ""},
		{"arn:aws-iso:secretsmanager:us-iso-east-1:123456789012:secret:x", "", "us-iso-east-1"},
	} {
		var host string
		client, err := secretsaws.New(secretsaws.Config{
			Config: caller(func(r *http.Request) (*http.Response, error) {
				host = r.URL.Host
				return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"SecretString":"x"}`))}, nil
			}),
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Get(t.Context(), tt.arn)
		if (err != nil) != (tt.err != "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: %v", tt.arn, err)
		}
		if host != tt.host {
			t.Errorf("%s: asked %q, want %q", tt.arn, host, tt.host)
		}
	}
}

// An answer that breaks off behind any byte, or is a proxy's page, may be whole the next time.
func TestAnswerThatBreaksOffIsTransient(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup // all at once: each pauses between its attempts
	defer wg.Wait()
	try := func(answer string, end awsclienttest.End, timeout time.Duration) {
		wg.Go(func() {
			cfg := secretsaws.Config{Config: caller(nil), Endpoint: awsclienttest.Serve(t, answer, end)}
			cfg.HTTP = &http.Client{Timeout: timeout, Transport: &http.Transport{DisableKeepAlives: true}}
			client, err := secretsaws.New(cfg)
			if err != nil {
				t.Error(err)
				return
			}
			_, err = client.Get(t.Context(), arn)
			if failed, ok := errors.AsType[*awsjson.Error](err); !ok || !failed.Transient || strings.Contains(err.Error(), "canary") {
				t.Errorf("%q, %s: got %v, want a transient error", answer, end, err)
			}
		})
	}
	good := awsclienttest.Answer(200, "application/x-amz-json-1.1", `{"SecretString":"canary"}`)
	for n := range len(good) {
		try(good[:n], awsclienttest.Close, time.Minute)
		try(good[:n], awsclienttest.Reset, time.Minute)
	}
	for _, n := range []int{0, 5, 40, len(good) - 1} {
		try(good[:n], awsclienttest.Stall, 20*time.Millisecond)
	}
	for _, status := range []int{200, 302, 400, 403, 404} {
		try(awsclienttest.Answer(status, "text/html", "<html>"), awsclienttest.Close, time.Minute)
	}
}
