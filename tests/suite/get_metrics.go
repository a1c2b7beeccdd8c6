package suite

import (
	"net/http"
	"testing"
)

func (c *Caller) testGetMetrics(t *testing.T) {
	r := Request{Method: http.MethodGet, Path: "/v1/metrics", Token: c.As(t, roleCustomer)}
	c.Do(t, r).want(t, http.StatusOK)

	r.Token, r.ByGateway = "", true
	c.Do(t, r).want(t, http.StatusUnauthorized)
}
