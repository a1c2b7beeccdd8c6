package ratelimit

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Request is what TakeAll asks one limiter.
type Request struct {
	Limiter Limiter
	Subject Subject
	Cost    int64
}

// ValidateTogether reports why TakeAll could not keep its promise for the requests, or nil: a cost that a policy can
// never admit, or two limiters that cannot refund, of which one would keep its units when the other one denies.
// Subjects are not looked at: call it where the limiters are chosen, not for each request.
func ValidateTogether(requests ...Request) error {
	var problems []error
	last := ""
	for i, r := range requests {
		if r.Limiter == nil {
			problems = append(problems, fmt.Errorf("limiter %d is nil", i))
			continue
		}
		problems = append(problems, ValidateCost(r.Limiter.Policies(), r.Cost))
		if name := notRefundable(r.Limiter); name != "" {
			if last != "" {
				problems = append(problems, fmt.Errorf("policies %q and %q cannot refund: at most one limiter of a request may have such a policy", last, name))
			}
			last = name
		}
	}
	return errors.Join(problems...)
}

// notRefundable returns the name of a policy that cannot refund, or "".
func notRefundable(l Limiter) string {
	for _, p := range l.Policies() {
		if !p.Refundable() {
			return p.Name
		}
	}
	return ""
}

// TakeAll takes units from all limiters, or from none of them: when one denies or fails, the others get a refund. It
// asks them in parallel, except one that cannot refund, which it asks when all others have admitted. The decisions are
// those of the limiters that answered, in the order of the requests; the error joins those of the limiters that failed.
//
// A refund that fails is lost, and so the subject has fewer units until time gives them back. Refunds do not end with
// the context. The requests must be valid (ValidateTogether).
func TakeAll(ctx context.Context, requests ...Request) (Decisions, error) {
	answers := make([]answer, len(requests))
	last := -1
	var first []int
	for i, r := range requests {
		if last < 0 && notRefundable(r.Limiter) != "" {
			last = i
			continue
		}
		first = append(first, i)
	}
	each(first, func(i int) { answers[i].take(ctx, requests[i]) })
	ok := true
	for _, i := range first {
		ok = ok && answers[i].admits()
	}
	if ok && last >= 0 {
		answers[last].take(ctx, requests[last])
		ok = answers[last].admits()
	}
	if !ok {
		each(first, func(i int) {
			if answers[i].admits() {
				_ = requests[i].Limiter.Refund(context.WithoutCancel(ctx), answers[i].decision)
			}
		})
	}
	decisions := make(Decisions, 0, len(requests))
	var failed []error
	for _, a := range answers {
		if a.asked && a.err == nil {
			decisions = append(decisions, a.decision)
		}
		failed = append(failed, a.err)
	}
	return decisions, errors.Join(failed...)
}

// answer is what one limiter says.
type answer struct {
	asked    bool
	decision Decision
	err      error
}

func (a *answer) take(ctx context.Context, r Request) {
	a.asked = true
	a.decision, a.err = r.Limiter.Take(ctx, r.Subject, r.Cost)
}

func (a *answer) admits() bool { return a.err == nil && a.decision.Allowed }

// each calls f for all indexes in parallel, the last one in this goroutine.
func each(indexes []int, f func(i int)) {
	if len(indexes) == 0 {
		return
	}
	var group sync.WaitGroup
	for _, i := range indexes[:len(indexes)-1] {
		group.Go(func() { f(i) })
	}
	f(indexes[len(indexes)-1])
	group.Wait()
}
