package ratelimit

import (
	"context"
	"slices"
)

// Switches are what an operator may change about policies without a deployment of code. The zero value changes nothing.
type Switches struct {
	// Off names policies that are left out, or "all".
	Off []string `env:"RATE_LIMITS_OFF"`
	// Shadow names policies that count and decide, but never deny, or "all".
	Shadow []string `env:"RATE_LIMITS_SHADOW"`
}

// All is the name in Switches that means every policy.
const All = "all"

// Apply returns a copy of the policies without those that are off, with shadow mode set. A store of fewer policies counts
// anew, because their names and versions are part of its keys. If none is left, use Disabled as the limiter.
func (s Switches) Apply(policies []Policy) []Policy {
	var on []Policy
	for _, p := range policies {
		if named(s.Off, p.Name) {
			continue
		}
		p.Shadow = p.Shadow || named(s.Shadow, p.Name)
		on = append(on, p)
	}
	return on
}

func named(names []string, name string) bool {
	return slices.Contains(names, name) || slices.Contains(names, All)
}

// Disabled returns a Limiter without policies, which admits everything and counts nothing: its decisions have the
// source Off.
func Disabled() Limiter { return disabled{} }

type disabled struct{}

func (disabled) Take(_ context.Context, subject Subject, cost int64) (Decision, error) {
	return Decision{Allowed: true, Source: Off, Subject: subject, Cost: cost}, ValidateCost(nil, cost)
}

func (disabled) Peek(_ context.Context, subject Subject) (Decision, error) {
	return Decision{Allowed: true, Source: Off, Subject: subject}, nil
}

func (disabled) Refund(context.Context, Decision) error { return nil }

func (disabled) Reset(context.Context, Subject) error { return nil }

func (disabled) Policies() []Policy { return nil }
