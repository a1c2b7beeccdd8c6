package secret_test

import (
	"testing"

	"github.com/tienda-dev/tienda/shared/awsclient"
	"github.com/tienda-dev/tienda/shared/secrets"
)

// A refresh that ran out of time because it had to connect finds the connection open when it is tried again.
func TestRetryFindsTheConnectionOpen(t *testing.T) {
	t.Parallel()
	if secrets.DefaultRetryAfter >= awsclient.IdleTimeout {
		t.Errorf("a refresh is tried again after %v, and idle connections are closed after %v", secrets.DefaultRetryAfter, awsclient.IdleTimeout)
	}
}
