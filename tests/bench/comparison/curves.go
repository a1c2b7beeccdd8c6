package comparison

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
)

// curve is one line of a plot of growth: how many times the first step's value each step's is, by factors().
type curve struct {
	name  string
	sizes []int
	times []float64
}

// growthCurves returns the series that were measured.
func (r *Results) growthCurves() []curve {
	var all []curve
	for _, s := range growing() {
		c := curve{name: s.name + ": " + s.what, sizes: s.sizes()}
		for _, n := range c.sizes {
			c.times = append(c.times, r.Ratio(Grown, CPU, s.row(n), s.row(s.first)))
		}
		if !slices.ContainsFunc(c.times, math.IsNaN) {
			all = append(all, c)
		}
	}
	return all
}

// curves draws lines over a logarithmic scale of factors, from 0, with the bound of the goal. Without lines it is "".
func curves(title string, all []curve) string {
	if len(all) == 0 {
		return ""
	}
	const (
		left, right, high = 56, 24, 240 // the lines' area
		step              = 0.25        // between the lines of the grid
		bottom            = top + high
	)
	colours := []string{ours, "#c2410c", "#1d4ed8", "#7c3aed"}
	most := flat
	for _, c := range all {
		most = max(most, slices.Max(c.times))
	}
	most = math.Ceil(most/step+0.5) * step
	factors := factors()
	x := func(factor float64) float64 {
		return left + math.Log(factor)/math.Log(float64(factors[len(factors)-1]))*(plotWidth-left-right-60)
	}
	y := func(times float64) float64 { return bottom - times/most*high }

	s := canvas(title, bottom+44+len(all)*(barHeight+gap))
	line := func(at float64, dash string) {
		fmt.Fprintf(s, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="%s" stroke-width="1"%s/>`+"\n", left, y(at), plotWidth-right, y(at), theirs, dash)
	}
	for at := 0.0; at <= most; at += step {
		line(at, ` opacity="0.35"`)
		fmt.Fprintf(s, `<text x="%d" y="%.1f" text-anchor="end">%.2f</text>`+"\n", left-8, y(at)+4, at)
	}
	line(flat, ` stroke-dasharray="6 4"`)
	fmt.Fprintf(s, `<text x="%d" y="%.1f">goal: at most %.2f</text>`+"\n", left+4, y(flat)-5, flat)
	for _, f := range factors {
		fmt.Fprintf(s, `<text x="%.1f" y="%d" text-anchor="middle">%dx</text>`+"\n", x(float64(f)), bottom+18, f)
	}
	for i, c := range all {
		colour := colours[i%len(colours)]
		points := make([]string, len(factors))
		for j, f := range factors {
			points[j] = fmt.Sprintf("%.1f,%.1f", x(float64(f)), y(c.times[j]))
			fmt.Fprintf(s, `<circle cx="%.1f" cy="%.1f" r="4" fill="%s"/>`+"\n", x(float64(f)), y(c.times[j]), colour)
		}
		fmt.Fprintf(s, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", strings.Join(points, " "), colour)
		at := bottom + 36 + i*(barHeight+gap)
		fmt.Fprintf(s, `<rect x="%d" y="%d" width="12" height="12" fill="%s"/><text x="%d" y="%d">%s</text>`+"\n",
			left, at, colour, left+18, at+10, html.EscapeString(c.legend()))
	}
	s.WriteString("</svg>\n")
	return s.String()
}

// legend says what the line is, with its values.
func (c curve) legend() string {
	values := make([]string, len(c.times))
	for i, v := range c.times {
		values[i] = fmt.Sprintf("%d (%.2f)", c.sizes[i], v)
	}
	return c.name + " " + strings.Join(values, ", ")
}
