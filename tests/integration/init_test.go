//go:build integration

package integration_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/tests/suite"
)

// login needs four secrets and two tables. INIT asks for all of them at once: one round trip in sequence, and a
// connection for each of the requests that are under way together.
func TestInitAsksAWSForEverythingAtOnce(t *testing.T) {
	t.Parallel()
	const requests = 6
	var (
		mu          sync.Mutex
		seen        []string
		connections int
		waiting     = make(chan struct{}) // closed when the last of the requests has arrived
	)
	aws := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		seen = append(seen, r.Header.Get("X-Amz-Target"))
		if len(seen) == requests {
			close(waiting)
		}
		mu.Unlock()
		// An answer that waits for the other requests can only come when they do not wait for it.
		select {
		case <-waiting:
		case <-r.Context().Done():
			return
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = io.WriteString(w, secretAnswer(string(body)))
	}))
	aws.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			mu.Lock()
			connections++
			mu.Unlock()
		}
	}
	aws.Start()
	t.Cleanup(aws.Close)

	ready := make(chan struct{}, 1)
	lambda := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/invocation/next") {
			ready <- struct{}{}
			<-r.Context().Done()
		}
	}))
	t.Cleanup(lambda.Close)

	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var out suite.Buffer
	command := exec.CommandContext(ctx, filepath.Join(root, ".cache", "run", "login", "bootstrap"))
	command.Stdout, command.Stderr = &out, &out
	arn := "arn:aws:secretsmanager:eu-central-1:123456789012:secret:"
	command.Env = []string{
		"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(lambda.URL, "http://"), "AWS_LAMBDA_FUNCTION_NAME=login",
		"AWS_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local",
		"AWS_ENDPOINT_URL_DYNAMODB=" + aws.URL, "AWS_ENDPOINT_URL_SECRETS_MANAGER=" + aws.URL, "AUTH_TABLE=auth",
		"TOKEN_KEYS_SECRET=" + arn + "token", "REFRESH_KEYS_SECRET=" + arn + "refresh", "IDENTIFIER_KEY_SECRET=" + arn + "identifier",
		"RATELIMIT_TABLE=ratelimit", "LIMITER_KEY_SECRET=" + arn + "limiter",
		"TOKEN_ISSUER=https://auth.shop.example", "TOKEN_AUDIENCE=api", "REFRESH_AUDIENCE=https://auth.shop.example/v1/auth/refresh",
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatalf("INIT ended: %v\n%s\nAWS saw %v", err, out.Bytes(), seen)
	}
	cancel()
	<-ended

	mu.Lock()
	defer mu.Unlock()
	if len(seen) != requests || connections != requests {
		t.Errorf("%d requests over %d connections, want %d of each: %v", len(seen), connections, requests, seen)
	}
}

// secretAnswer is what AWS answers: a key of its own for each secret, and no item for the tables' warm-ups.
func secretAnswer(request string) string {
	for _, name := range []string{"token", "refresh", "identifier", "limiter"} {
		if strings.Contains(request, "secret:"+name) {
			return fmt.Sprintf(`{"SecretString":"{\"kid\":\"%s\",\"alg\":\"HS256\",\"status\":\"active\",\"key\":\"%s\"}"}`, name, strings.Repeat(name[:1], 32))
		}
	}
	return `{}`
}
