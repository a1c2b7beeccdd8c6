package main

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimitmem"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimittest"
)

// curve is one algorithm in the plot.
type curve struct {
	policy       ratelimit.Policy
	label, color string
}

func curves() []curve {
	return []curve{
		{ratelimit.Policy{Name: "fixed", Algorithm: ratelimit.FixedWindow, Limit: 60, Window: time.Minute}, "FixedWindow", "#d55e00"},
		{ratelimit.Policy{Name: "gcra", Limit: 60, Window: time.Minute, Burst: 20}, "GCRA, Burst 20", "#0072b2"},
		{ratelimit.Policy{Name: "log", Algorithm: ratelimit.SlidingLog, Limit: 60, Window: time.Minute}, "SlidingLog", "#009e73"},
	}
}

const (
	length = 4 * time.Minute
	// The client rests from restBegin to restEnd.
	restBegin, restEnd = 90 * time.Second, 150 * time.Second

	width, height              = 720, 400
	left, top, right, bottom   = 50, 20, 700, 350
	mostUnits, unitStep        = 300, 60
	secondsStep, labelDistance = 30, 8
)

// traffic is one client that sends 4 requests a second, except in its rest.
func traffic() (all []ratelimittest.Arrival) {
	for _, a := range ratelimittest.Flood(ratelimit.NewSubject("user", "plot"), 4, length) {
		if a.At < restBegin || a.At >= restEnd {
			all = append(all, a)
		}
	}
	return all
}

// admitted returns the times at which 10 instances with clocks up to 50 ms apart admit the traffic.
func admitted(ctx context.Context, p ratelimit.Policy) ([]time.Duration, error) {
	clock := ratelimittest.NewClock()
	store, err := ratelimitmem.New([]ratelimit.Policy{p}, ratelimitmem.Config{Now: clock.Now})
	if err != nil {
		return nil, err
	}
	fleet := &ratelimittest.Fleet{Clock: clock, Skew: 50 * time.Millisecond, RTT: 6 * time.Millisecond, Seed: 1}
	for range 10 {
		fleet.Instances = append(fleet.Instances, store)
	}
	outcomes, err := fleet.Run(ctx, traffic())
	if err != nil {
		return nil, err
	}
	var times []time.Duration
	for _, o := range outcomes {
		if o.Decision.Allowed {
			times = append(times, o.Decided)
		}
	}
	return times, nil
}

// plot returns the SVG: how many requests have been admitted, over time.
func plot(ctx context.Context) ([]byte, error) {
	b := &bytes.Buffer{}
	fmt.Fprintf(b, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"13\">\n", width, height)
	fmt.Fprintf(b, "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n", width, height)
	fmt.Fprintf(b, "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"#eee\"/>\n", x(restBegin), top, x(restEnd)-x(restBegin), bottom-top)
	fmt.Fprintf(b, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\" fill=\"#555\">the client rests</text>\n", x((restBegin+restEnd)/2), bottom-labelDistance)
	for units := 0; units <= mostUnits; units += unitStep {
		fmt.Fprintf(b, "<path d=\"M%d %.1fH%d\" stroke=\"#ccc\"/><text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%d</text>\n", left, y(units), right, left-labelDistance, y(units)+4, units)
	}
	for at := time.Duration(0); at <= length; at += secondsStep * time.Second {
		fmt.Fprintf(b, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.0f s</text>\n", x(at), bottom+20, at.Seconds())
	}
	for i, c := range curves() {
		times, err := admitted(ctx, c.policy)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(b, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"2\" d=\"M%d %d", c.color, left, bottom)
		for n, at := range times {
			fmt.Fprintf(b, "H%.1fV%.1f", x(at), y(n+1))
		}
		fmt.Fprintf(b, "H%d\"/>\n", right)
		fmt.Fprintf(b, "<text x=\"%d\" y=\"%d\" fill=\"%s\">%s: %d admitted</text>\n", left+labelDistance, top+labelDistance+20*i, c.color, c.label, len(times))
	}
	fmt.Fprintf(b, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">admitted of a client that sends 4 requests a second; the limit is 60 per minute</text>\n</svg>\n", (left+right)/2, height-labelDistance)
	return b.Bytes(), nil
}

func x(at time.Duration) float64 {
	return left + (right-left)*at.Seconds()/length.Seconds()
}

func y(units int) float64 {
	return bottom - float64((bottom-top)*units)/mostUnits
}
