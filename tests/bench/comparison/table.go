package comparison

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// column is a measure in a table. With a ratio it shows how many times the reference's a value is.
type column struct {
	measure Measure
	ratio   bool
}

// columns are those of the table.
func columns() []column {
	return []column{
		{Size, false},
		{InitAllocations, false},
		{Init, true},
		{First, true},
		{Both, true},
		{Latency, true},
		{CPU, true},
		{Turn, false},
		{RSS, false},
		{Growth, false},
		{Requests, false},
		{Sequence, false},
		{Exports, false},
		{Allocations, false},
		{Rate, true},
	}
}

// growthColumns are those of the table of growth.
func growthColumns() []column {
	return []column{{Init, true}, {Latency, true}, {CPU, true}, {RSS, true}, {Requests, false}}
}

// cells are the table, or that of growth: its head, and a line for each row.
func (r *Results) cells(growth bool) [][]string {
	all := columns()
	if growth {
		all = growthColumns()
	}
	head := []string{"mode", "binary"}
	for _, c := range all {
		head = append(head, string(c.measure))
	}
	table := [][]string{append(head, "goals")}
	for _, row := range r.Rows {
		if growth != (row.Mode == Grown) {
			continue
		}
		line := []string{string(row.Mode), row.Name}
		for _, c := range all {
			line = append(line, r.cell(row, c.measure, c.ratio))
		}
		var verdicts []string
		for _, v := range r.Goals {
			if v.Mode == row.Mode && v.Name == row.Name {
				verdicts = append(verdicts, v.String())
			}
		}
		table = append(table, append(line, strings.Join(verdicts, "; ")))
	}
	return table
}

// cell is a value with its ratio to the reference, or empty.
func (r *Results) cell(row *Row, m Measure, ratio bool) string {
	value := row.Median(m)
	if math.IsNaN(value) {
		return ""
	}
	text := digits(value)
	reference := cmp.Or(row.Reference, Bare)
	if x := r.Ratio(row.Mode, m, row.Name, reference); ratio && row.Name != reference && !math.IsNaN(x) {
		text += " (" + digits(x) + "x)"
	}
	return text
}

// digits writes a number with three digits that count.
func digits(v float64) string {
	switch abs := math.Abs(v); {
	case abs >= 100 || v == math.Trunc(v):
		return strconv.FormatFloat(v, 'f', 0, 64)
	case abs >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	default:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
}

// Text returns the table for a terminal, with what must be known to read it.
func (r *Results) Text() string {
	var b strings.Builder
	for _, table := range [][][]string{r.cells(false), r.cells(true)} {
		if len(table) > 1 {
			writeText(&b, table)
			b.WriteString("\n")
		}
	}
	b.WriteString(strings.Join(r.notes(), "\n") + "\n")
	return b.String()
}

// writeText writes a table in columns.
func writeText(b *strings.Builder, table [][]string) {
	widths := make([]int, len(table[0]))
	for _, line := range table {
		for i, cell := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, line := range table {
		for i, cell := range line {
			if i == len(line)-1 { // the last needs no space after it
				b.WriteString(cell)
				continue
			}
			fmt.Fprintf(b, "%s%s  ", cell, strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)))
		}
		b.WriteString("\n")
	}
}

// Markdown returns the tables for pages, by the names of their files. A run that did not measure growth has no table of it.
func (r *Results) Markdown() map[string]string {
	pages := map[string]string{"table.md": r.page(r.cells(false))}
	if table := r.cells(true); len(table) > 1 {
		pages["growth.md"] = r.page(table)
	}
	return pages
}

func (r *Results) page(table [][]string) string {
	var b strings.Builder
	for i, line := range table {
		b.WriteString("| " + strings.Join(line, " | ") + " |\n")
		if i == 0 {
			b.WriteString("|" + strings.Repeat(" --- |", len(line)) + "\n")
		}
	}
	b.WriteString("\n- " + strings.Join(r.notes(), "\n- ") + "\n")
	return b.String()
}

// notes say where the results come from, and what is wrong with them.
func (r *Results) notes() []string {
	notes := []string{
		"Medians of the rounds; (…x) is the median of the rounds' ratios to bare (in process: to the typed handler; concurrent: to one at a time; growth: to the first of its kind). ms and us are of this machine, ratios are not.",
		"From " + r.Machine.String() + ".",
		fmt.Sprintf("Load average %.2f before and %.2f after.", r.LoadBefore, r.LoadAfter),
	}
	if r.Busy() {
		notes = append(notes, "THE MACHINE WAS BUSY when the run began: do not publish these numbers.")
	}
	for _, text := range r.NotMeasured {
		notes = append(notes, "Not measured: "+text)
	}
	if missed := r.Missed(); len(missed) > 0 {
		notes = append(notes, fmt.Sprintf("%d of %d goals are not met.", len(missed), len(r.Goals)))
	} else {
		notes = append(notes, "All goals that were measured are met.")
	}
	return notes
}
