package ratelimit

// stricter reports whether a is stricter than b: a denial first, then the longer RetryAfter, then the fewer units
// Remaining.
func stricter(a, b Result) bool {
	switch {
	case a.Allowed != b.Allowed:
		return !a.Allowed
	case a.RetryAfter != b.RetryAfter:
		return a.RetryAfter > b.RetryAfter
	default:
		return a.Remaining < b.Remaining
	}
}

// Strictest returns the result that decides, the first of equal ones: a client that waits for its RetryAfter waits for
// all of them. Policies in shadow mode do not count. It is false if no other policy has a result.
func (d Decision) Strictest() (Result, bool) {
	var strictest Result
	found := false
	for _, r := range d.Results {
		if !r.Policy.Shadow && (!found || stricter(r, strictest)) {
			strictest, found = r, true
		}
	}
	return strictest, found
}

// Decisions are the answers of several limiters about one request.
type Decisions []Decision

// Allowed reports whether all of them admit.
func (ds Decisions) Allowed() bool {
	for _, d := range ds {
		if !d.Allowed {
			return false
		}
	}
	return true
}
