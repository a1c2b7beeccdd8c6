package ratelimit_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/ratelimit"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	valid := ratelimit.Policy{Name: "user-minute", Limit: 300, Window: time.Minute, Burst: 60}
	year := 366 * 24 * time.Hour
	for name, c := range map[string]struct {
		change func(*ratelimit.Policy)
		want   string // in the error; "" is no error
	}{
		"GCRA":                 {func(*ratelimit.Policy) {}, ""},
		"NoBurst":              {func(p *ratelimit.Policy) { p.Burst = 0 }, ""},
		"LongestWindow":        {func(p *ratelimit.Policy) { p.Window = year }, ""},
		"BurstIsLimit":         {func(p *ratelimit.Policy) { p.Window, p.Burst = year, 300 }, ""},
		"FixedWindow":          {func(p *ratelimit.Policy) { p.Algorithm, p.Burst = ratelimit.FixedWindow, 0 }, ""},
		"SlidingLog":           {func(p *ratelimit.Policy) { p.Algorithm, p.Burst, p.Limit = ratelimit.SlidingLog, 0, 100 }, ""},
		"FastestGCRA":          {func(p *ratelimit.Policy) { p.Limit, p.Window = 10_000, time.Second }, ""},
		"NoName":               {func(p *ratelimit.Policy) { p.Name = "" }, "Name"},
		"NameWithSpace":        {func(p *ratelimit.Policy) { p.Name = "a b" }, "Name"},
		"NameWithDigits":       {func(p *ratelimit.Policy) { p.Name = "user-1m-2" }, ""},
		"NameStartsWithDigit":  {func(p *ratelimit.Policy) { p.Name = "1m" }, "Name"},
		"NameWithTwoHyphens":   {func(p *ratelimit.Policy) { p.Name = "a--b" }, "Name"},
		"NameEndsWithHyphen":   {func(p *ratelimit.Policy) { p.Name = "a-" }, "Name"},
		"NameStartsWithHyphen": {func(p *ratelimit.Policy) { p.Name = "-a" }, "Name"},
		"CapitalName":          {func(p *ratelimit.Policy) { p.Name = "User" }, "Name"},
		"LongName":             {func(p *ratelimit.Policy) { p.Name = strings.Repeat("a", 65) }, "Name"},
		"UnknownAlgorithm":     {func(p *ratelimit.Policy) { p.Algorithm = 9 }, "Algorithm 9"},
		"NegativeAlgorithm":    {func(p *ratelimit.Policy) { p.Algorithm = -1 }, "Algorithm -1"},
		"NoLimit":              {func(p *ratelimit.Policy) { p.Limit = 0 }, "Limit"},
		"NoWindow":             {func(p *ratelimit.Policy) { p.Window = 0 }, "Window"},
		"PartOfASecond":        {func(p *ratelimit.Policy) { p.Window = 1500 * time.Millisecond }, "Window"},
		"WindowTooLong":        {func(p *ratelimit.Policy) { p.Window = year + time.Second }, "Window"},
		"HugeLimit":            {func(p *ratelimit.Policy) { p.Algorithm, p.Burst, p.Limit = ratelimit.FixedWindow, 0, 1e15 }, "Limit"},
		"LogTooLong":           {func(p *ratelimit.Policy) { p.Algorithm, p.Burst, p.Limit = ratelimit.SlidingLog, 0, 101 }, "at most 100"},
		"NegativeBurst":        {func(p *ratelimit.Policy) { p.Burst = -1 }, "Burst"},
		"BurstOfAWindow":       {func(p *ratelimit.Policy) { p.Algorithm = ratelimit.FixedWindow }, "Burst"},
		"BurstNeverRefills":    {func(p *ratelimit.Policy) { p.Burst = 1 << 62 }, "Burst must refill"},
		"IntervalRoundedAway":  {func(p *ratelimit.Policy) { p.Limit, p.Window = 10_001, time.Second }, "100µs"},
		"NegativeVersion":      {func(p *ratelimit.Policy) { p.Version = -1 }, "Version"},
	} {
		p := valid
		c.change(&p)
		err := p.Validate()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestValidatePolicies(t *testing.T) {
	t.Parallel()
	valid := ratelimit.Policy{Name: "a", Limit: 1, Window: time.Second}
	other := valid
	other.Name = "b"
	if err := ratelimit.ValidatePolicies([]ratelimit.Policy{valid, other}); err != nil {
		t.Error(err)
	}
	for want, policies := range map[string][]ratelimit.Policy{
		"needs a policy":   nil,
		"used twice":       {valid, other, valid},
		`policy "b": Name`: {valid, other, other},
		"Limit":            {valid, {Name: "c", Window: time.Second}},
	} {
		if err := ratelimit.ValidatePolicies(policies); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}

func TestUndoRefusesBeforeItChanges(t *testing.T) {
	t.Parallel()
	policies := []ratelimit.Policy{
		{Name: "a", Limit: 5, Window: time.Second},
		{Name: "b", Algorithm: ratelimit.SlidingLog, Limit: 5, Window: time.Second},
	}
	d, states := ratelimit.Decide(policies, subject, make([]ratelimit.State, 2), epoch, 1)
	if next, err := ratelimit.Undo(policies, states, d, epoch); next != nil || !errors.Is(err, ratelimit.ErrNotRefundable) {
		t.Errorf("%v, %v", next, err)
	}
}

func TestUndoRefusesADecisionOfAnotherLimiter(t *testing.T) {
	t.Parallel()
	policies := []ratelimit.Policy{{Name: "a", Limit: 5, Window: time.Second}, {Name: "b", Limit: 5, Window: time.Second}}
	d, _ := ratelimit.Decide(policies[:1], subject, make([]ratelimit.State, 1), epoch, 1)
	if next, err := ratelimit.Undo(policies, make([]ratelimit.State, 2), d, epoch); next != nil || err == nil {
		t.Errorf("%v, %v", next, err)
	}
}

func TestAlgorithmNames(t *testing.T) {
	t.Parallel()
	for a, want := range map[ratelimit.Algorithm]string{
		ratelimit.GCRA: "gcra", ratelimit.FixedWindow: "fixed-window", ratelimit.SlidingLog: "sliding-log", 7: "unknown",
	} {
		if got := a.String(); got != want {
			t.Errorf("%d is %q, want %q", a, got, want)
		}
	}
}
