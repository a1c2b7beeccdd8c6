package comparison

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// The sizes of a plot, in pixels, and its colours: ours, peers, and what is behind them.
const (
	plotWidth  = 860
	labelWidth = 190
	valueWidth = 90
	barHeight  = 16
	gap        = 6
	top        = 48
	ours       = "#0b6e4f"
	theirs     = "#9aa5b1"
	ink        = "#1f2933"
	paper      = "#ffffff"
)

// bar is one line of a plot: the bar goes from 0 to value, and its lighter part on to more.
type bar struct {
	name        string
	value, more float64
	peer        bool
	// marks are the 5th, 25th, 50th, 75th and 95th percentile, in the place of a bar.
	marks []float64
}

// Plots returns the plots as SVG by the names of their files. A mode that was not measured has none.
func (r *Results) Plots() map[string]string {
	plots := map[string]string{
		"init.svg": chart("INIT: from the start of the process to its first request for an event, in ms (light: with its file not in the page cache)",
			r.bars(Start, Init, Disk), "ms"),
		"warm.svg":  chart("Warm latency, in us: 5th to 95th percentile, 25th to 75th, median", r.distributions(), "us"),
		"cpu.svg":   chart("Processor time for one warm invocation, in us, all threads, with what follows the response", r.bars(Warm, CPU, ""), "us"),
		"trips.svg": chart("Requests to backends one after the other before the response", r.bars(Delayed, Sequence, ""), ""),
		"growth.svg": curves("Processor time for one warm invocation, compared with the first step, where there is 10 and 100 times as much",
			r.growthCurves()),
	}
	for name, plot := range plots {
		if plot == "" {
			delete(plots, name)
		}
	}
	return plots
}

// bars returns the binaries' values in a mode. behind is a mode whose values go on from there, or "".
func (r *Results) bars(mode Mode, m Measure, behind Mode) []bar {
	var all []bar
	for _, row := range r.Rows {
		if row.Mode != mode || math.IsNaN(row.Median(m)) {
			continue
		}
		b := bar{name: row.Name, value: row.Median(m), peer: isPeer(row.Name)}
		if other := r.find(behind, row.Name); other != nil && other.Median(m) > b.value {
			b.more = other.Median(m)
		}
		all = append(all, b)
	}
	return all
}

func (r *Results) distributions() []bar {
	var all []bar
	for _, row := range r.Rows {
		if row.Mode == Warm && len(row.Quantiles) == len(quantiles()) {
			all = append(all, bar{name: row.Name, value: row.Quantiles[2], more: row.Quantiles[4], marks: row.Quantiles, peer: isPeer(row.Name)})
		}
	}
	return all
}

func isPeer(name string) bool {
	for _, d := range definitions() {
		if d.name == name {
			return d.peer
		}
	}
	return true
}

// canvas begins a plot.
func canvas(title string, height int) *strings.Builder {
	var s strings.Builder
	fmt.Fprintf(&s, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12" fill="%s">`+"\n",
		plotWidth, height, plotWidth, height, ink)
	fmt.Fprintf(&s, `<title>%s</title><rect width="100%%" height="100%%" fill="%s"/>`+"\n", html.EscapeString(title), paper)
	fmt.Fprintf(&s, `<text x="8" y="20" font-size="13" font-weight="bold">%s</text>`+"\n", html.EscapeString(title))
	return &s
}

// chart draws horizontal bars from 0. Without bars it is "".
func chart(title string, bars []bar, unit string) string {
	most := 0.0
	for _, b := range bars {
		most = max(most, b.value, b.more)
	}
	if len(bars) == 0 || most == 0 {
		return ""
	}
	height := top + len(bars)*(barHeight+gap) + 28
	s := canvas(title, height)
	x := func(v float64) float64 { return labelWidth + v/most*(plotWidth-labelWidth-valueWidth) }
	rect := func(from, to float64, y, high int, colour string, opacity float64) {
		fmt.Fprintf(s, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s" opacity="%.2f"/>`+"\n", x(from), y, max(1, x(to)-x(from)), high, colour, opacity)
	}
	for i, b := range bars {
		y := top + i*(barHeight+gap)
		colour := ours
		if b.peer {
			colour = theirs
		}
		fmt.Fprintf(s, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", labelWidth-8, y+barHeight-4, html.EscapeString(b.name))
		end := max(b.value, b.more)
		if b.marks != nil {
			rect(b.marks[0], b.marks[4], y+barHeight/2-1, 2, colour, 1)
			rect(b.marks[1], b.marks[3], y+2, barHeight-4, colour, 0.6)
			fmt.Fprintf(s, `<rect x="%.1f" y="%d" width="2" height="%d"/>`+"\n", x(b.marks[2])-1, y, barHeight)
		} else {
			rect(0, b.value, y, barHeight, colour, 1)
			if b.more > 0 {
				rect(b.value, b.more, y, barHeight, colour, 0.4)
			}
		}
		text := strings.TrimSpace(digits(b.value) + " " + unit)
		if b.marks == nil && b.more > 0 {
			text = digits(b.value) + " / " + digits(b.more) + " " + unit
		}
		fmt.Fprintf(s, `<text x="%.1f" y="%d">%s</text>`+"\n", x(end)+6, y+barHeight-4, text)
	}
	fmt.Fprintf(s, `<rect x="%d" y="%d" width="12" height="12" fill="%s"/><text x="%d" y="%d">Tienda</text>`+"\n", labelWidth, height-20, ours, labelWidth+18, height-10)
	fmt.Fprintf(s, `<rect x="%d" y="%d" width="12" height="12" fill="%s"/><text x="%d" y="%d">peers</text>`+"\n", labelWidth+90, height-20, theirs, labelWidth+108, height-10)
	s.WriteString("</svg>\n")
	return s.String()
}
