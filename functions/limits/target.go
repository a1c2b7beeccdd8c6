package limits

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/problem"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimithttp"
)

// target returns what the request is about: the class in its path, and the subject in its query, which has exactly one of
// the parameters that the class counts. Errors name the parameter and the rule.
func (s *Service) target(r *http.Request) (target, error) {
	class := r.PathValue("class")
	kinds := s.kinds(class)
	if kinds == nil {
		return target{}, ErrClassNotFound
	}
	by, value, err := subjectOf(r, kinds)
	if err != nil {
		return target{}, err
	}
	t := target{class: api.Rate(class), by: by}
	for _, c := range s.classes[class] {
		if c.by == by {
			t.limiters = append(t.limiters, c.limiter)
		}
	}
	switch by {
	case policy.ByIP:
		addr, err := netip.ParseAddr(value)
		if err != nil {
			return target{}, problem.Parameter(string(by), "must be an IPv4 or IPv6 address")
		}
		t.subject = ratelimit.NewSubject(ratelimithttp.KindIP, ratelimithttp.Network(addr))
	case policy.ByUser:
		t.userID = value
		if id, ok := api.ULID(value); ok { // machines have ids of other forms
			t.userID = id
		}
		t.subject = ratelimit.NewSubject(ratelimithttp.KindUser, t.userID)
	case policy.BySession:
		t.sessionID = value
		if id, ok := api.ULID(value); ok {
			t.sessionID = id
		}
		t.subject = ratelimit.NewSubject(string(policy.BySession), t.sessionID)
	case policy.ByAccount:
		t.userID = value
		identifier, err := s.identifiers(r.Context(), value)
		if err != nil {
			return target{}, err
		}
		if t.subject, err = ratelimithttp.AccountKey(identifier); err != nil {
			return target{}, err
		}
	case policy.ByAccountAddress: // a query cannot name it: the table does not have the addresses
	}
	return t, nil
}

// subjectOf returns the one parameter of the query that says who is counted.
func subjectOf(r *http.Request, kinds []policy.Kind) (policy.Kind, string, error) {
	all := []policy.Kind{policy.ByIP, policy.ByUser, policy.BySession, policy.ByAccount}
	query, broken := api.Parameters(r.URL.RawQuery, names(all)...)
	if broken != nil {
		return "", "", api.MalformedQuery(*broken)
	}
	rule := "exactly one of " + strings.Join(names(kinds), ", ") + " is required"
	var given []problem.FieldError
	for _, kind := range all {
		if query.Has(string(kind)) {
			given = append(given, problem.FieldError{Pointer: string(kind), Detail: rule})
		}
	}
	if len(given) != 1 {
		if given == nil {
			for _, kind := range kinds {
				given = append(given, problem.FieldError{Pointer: string(kind), Detail: rule})
			}
		}
		return "", "", problem.Parameter("", "").WithFields(given...)
	}
	name := given[0].Pointer
	values := query[name]
	for _, kind := range kinds {
		if string(kind) != name {
			continue
		}
		if len(values) > 1 {
			return "", "", problem.Parameter(name, "must be given once")
		}
		if !printable(values[0]) {
			return "", "", problem.Parameter(name, fmt.Sprintf("must be 1 to %d printable characters of ASCII", maxValue))
		}
		return kind, values[0], nil
	}
	return "", "", problem.Parameter(name, "the class does not count it: "+rule)
}

// maxValue is more than any address or user id has.
const maxValue = 128

func printable(s string) bool {
	return s != "" && len(s) <= maxValue && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

func names(kinds []policy.Kind) []string {
	all := make([]string, len(kinds))
	for i, kind := range kinds {
		all[i] = string(kind)
	}
	return all
}
