// Package limits lets admins look at the rate limits of a client address, a user, a session or an account,
// and reset them.
package limits

import (
	"context"
	"errors"
	"slices"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/problem"
	"github.com/tienda-dev/tienda/shared/ratelimit"
)

// ErrClassNotFound is a class that does not exist, or whose limits no table has (policy.RateMeta).
var ErrClassNotFound = problem.New(problem.NotFound, "rate_class_not_found", "There is no such class of rate limits.")

// Open returns the limiter of a counter's policies. It must share the counts with the limiter that routes use.
type Open func(policies []ratelimit.Policy) (ratelimit.Limiter, error)

// Identifiers returns under which name the account of a user is counted. It fails for an id that no user has.
type Identifiers func(ctx context.Context, userID string) (string, error)

// Service reads and resets limits.
type Service struct {
	classes     map[string][]counter
	identifiers Identifiers
}

type counter struct {
	by      policy.Kind
	limiter ratelimit.Limiter
}

// NewService returns a Service of all classes.
func NewService(open Open, identifiers Identifiers) (*Service, error) {
	if open == nil || identifiers == nil {
		return nil, errors.New("limits: NewService needs limiters and identifiers")
	}
	s := &Service{classes: map[string][]counter{}, identifiers: identifiers}
	for _, class := range policy.Classes() {
		if class.Rate == policy.RateMeta { // each instance counts for itself
			continue
		}
		for _, c := range class.Counters() {
			if c.By == policy.ByAccountAddress { // an address of an account is known by its keyed hash only
				continue
			}
			limiter, err := open(c.Policies)
			if err != nil {
				return nil, err
			}
			s.classes[string(class.Rate)] = append(s.classes[string(class.Rate)], counter{by: c.By, limiter: limiter})
		}
	}
	return s, nil
}

// target is a subject in a class, and the limiters that count it.
type target struct {
	class api.Rate
	by    policy.Kind
	// Empty unless the subject is a user's or an account, or a session.
	userID, sessionID string

	subject  ratelimit.Subject
	limiters []ratelimit.Limiter
}

// kinds returns what the class counts, without repetition.
func (s *Service) kinds(class string) []policy.Kind {
	var kinds []policy.Kind
	for _, c := range s.classes[class] {
		if !slices.Contains(kinds, c.by) {
			kinds = append(kinds, c.by)
		}
	}
	slices.Sort(kinds)
	return kinds
}

// look returns the decisions about one more unit, and takes nothing.
func (t target) look(ctx context.Context) ([]ratelimit.Decision, error) {
	decisions := make([]ratelimit.Decision, len(t.limiters))
	for i, limiter := range t.limiters {
		var err error
		if decisions[i], err = limiter.Peek(ctx, t.subject); err != nil {
			return nil, err
		}
	}
	return decisions, nil
}

// reset forgets the subject. It logs a reset that may have been made in part, too.
func (t target) reset(ctx context.Context) error {
	var failed []error
	for _, limiter := range t.limiters {
		failed = append(failed, limiter.Reset(ctx, t.subject))
	}
	err := errors.Join(failed...)
	logReset(ctx, t, err)
	return err
}
