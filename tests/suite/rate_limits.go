package suite

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func rateLimits(class, query, token string) Request {
	return Request{Method: http.MethodGet, Path: "/v1/limits/" + class + "?" + query, Token: token}
}

func deleting(r Request) Request {
	r.Method = http.MethodDelete
	return r
}

// remaining returns how much the class has left for the subject of the query, by the name of the limit.
func (c *Caller) remaining(t *testing.T, class, query string) map[string]int64 {
	t.Helper()
	var got struct {
		Class   string `json:"class"`
		By      string `json:"by"`
		Allowed bool   `json:"allowed"`
		Limits  []struct {
			Policy     string `json:"policy"`
			Algorithm  string `json:"algorithm"`
			Limit      int64  `json:"limit"`
			Window     int64  `json:"window_seconds"`
			Burst      int64  `json:"burst"`
			Shadow     bool   `json:"shadow"`
			Allowed    bool   `json:"allowed"`
			Remaining  int64  `json:"remaining"`
			RetryAfter int64  `json:"retry_after_seconds"`
		} `json:"limits"`
	}
	c.Do(t, rateLimits(class, query, c.As(t, roleAdmin))).want(t, http.StatusOK).decode(t, &got)
	if got.Class != class || !got.Allowed || !strings.HasPrefix(query, got.By+"=") {
		t.Errorf("%s, %s: got %+v", class, query, got)
	}
	left := map[string]int64{}
	for _, l := range got.Limits {
		if l.Limit < 1 || l.Window < 1 {
			t.Errorf("the limit is %+v", l)
		}
		left[l.Policy] = l.Remaining
	}
	return left
}

func (c *Caller) testRateLimits(t *testing.T) {
	t.Run("SeenAndReset", func(t *testing.T) {
		t.Parallel()
		p := c.Register(t)
		account := "account=" + p.ID
		full := c.remaining(t, "login", account)["login-account"]
		const wrong = 3
		for range wrong {
			c.Do(t, post("/v1/auth/login", p.credentials().With(Document{"password": "not " + p.password}))).want(t, http.StatusUnauthorized)
		}
		c.wantRemaining(t, account, full-wrong)
		for range 2 {
			c.Do(t, deleting(rateLimits("login", account, c.As(t, roleAdmin)))).want(t, http.StatusNoContent)
		}
		c.wantRemaining(t, account, full)
	})
	t.Run("ByAddress", func(t *testing.T) {
		t.Parallel()
		left := c.remaining(t, "login", "ip=2001:db8::1") // nobody's
		for _, policy := range []string{"login-ip", "login-address"} {
			if left[policy] < 1 {
				t.Errorf("nobody has %v left", left)
			}
		}
	})
	t.Run("Refused", func(t *testing.T) {
		t.Parallel()
		admin := c.As(t, roleAdmin)
		for _, tc := range []struct {
			class, query string
			want         refusal
		}{
			{"nothing", "ip=192.0.2.1", refused(http.StatusNotFound, "rate_class_not_found")},
			{"login", "ip=192.0.2", refused(http.StatusBadRequest, "invalid_parameter", "ip")},
			{"login", "", refused(http.StatusBadRequest, "invalid_parameter", "account", "ip")},
			{"login", "account=" + nobodysID, refused(http.StatusNotFound, "user_not_found")},
		} {
			r := rateLimits(tc.class, tc.query, admin)
			c.Do(t, r).wantProblem(t, tc.want)
			c.Do(t, deleting(r)).wantProblem(t, tc.want)
		}
	})
	t.Run("Protected", func(t *testing.T) {
		t.Parallel()
		r := rateLimits("login", "ip=2001:db8::1", "")
		c.testProtected(t, r, []string{roleAdmin})
		c.testProtected(t, deleting(r), []string{roleAdmin})
	})
}

// wantRemaining waits until the account has as many units left: reads of limits are eventually consistent.
func (c *Caller) wantRemaining(t *testing.T, account string, want int64) {
	t.Helper()
	var seen []int64
	for range 10 {
		got := c.remaining(t, "login", account)["login-account"]
		if got == want {
			return
		}
		if !slices.Contains(seen, got) {
			seen = append(seen, got)
		}
		time.Sleep(200 * time.Millisecond)
	}
	t.Errorf("%s has %v units left, want %d", account, seen, want)
}
