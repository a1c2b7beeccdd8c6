package secret_test

import (
	"testing"

	"github.com/tienda-dev/tienda/shared/awsclient"
	"github.com/tienda-dev/tienda/shared/secrets"
)

// A refresh may time out because it has to connect. The next attempt must find that connection open.
func TestRetryFindsTheConnectionOpen(t *testing.T) {
	t.Parallel()
	if secrets.RetryAfter >= awsclient.IdleTimeout {
		t.Errorf("a refresh is tried again after %v, and idle connections are closed after %v", secrets.RetryAfter, awsclient.IdleTimeout)
	}
}
