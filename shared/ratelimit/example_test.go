package ratelimit_test

import (
	"context"
	"fmt"
	"time"

	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimitmem"
)

// A user may make a burst of 3 requests, and 60 per minute after it.
func Example() {
	now := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	limiter, err := ratelimitmem.New(
		[]ratelimit.Policy{{Name: "user-minute", Limit: 60, Window: time.Minute, Burst: 3}},
		ratelimitmem.Config{Now: func() time.Time { return now }},
	)
	if err != nil {
		panic(err)
	}
	user := ratelimit.NewSubject("user", "7")
	for range 5 {
		decision, err := limiter.Take(context.Background(), user, 1)
		if err != nil {
			panic(err) // only a cost that no policy can admit
		}
		r, _ := decision.Strictest()
		fmt.Printf("allowed %-5t  remaining %d  retry after %v\n", decision.Allowed, r.Remaining, r.RetryAfter)
		now = now.Add(200 * time.Millisecond)
	}
	// Output:
	// allowed true   remaining 2  retry after 0s
	// allowed true   remaining 1  retry after 0s
	// allowed true   remaining 0  retry after 0s
	// allowed false  remaining 0  retry after 400ms
	// allowed false  remaining 0  retry after 200ms
}

// Uploads count by their size, and one that fails costs nothing.
func ExampleLimiter_refund() {
	limiter, err := ratelimitmem.New(
		[]ratelimit.Policy{{Name: "megabytes", Algorithm: ratelimit.FixedWindow, Limit: 100, Window: 24 * time.Hour}},
		ratelimitmem.Config{},
	)
	if err != nil {
		panic(err)
	}
	ctx, user := context.Background(), ratelimit.NewSubject("user", "7")
	upload, err := limiter.Take(ctx, user, 80)
	fmt.Println(upload.Allowed, err)
	fmt.Println(limiter.Refund(ctx, upload))
	again, err := limiter.Take(ctx, user, 90)
	fmt.Println(again.Allowed, err)
	// Output:
	// true <nil>
	// <nil>
	// true <nil>
}
