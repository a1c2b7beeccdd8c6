package translated

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Dashboards checks that each dashboard is JSON, that it shows every table and every function's log group, and that its widgets
// show metrics that something in the stack emits: for any other name CloudWatch draws an empty graph and reports nothing.
func Dashboards(s Stack) []string {
	var f faults
	filters := map[string]bool{}
	for _, id := range s.of(typeMetricFilter) {
		for _, m := range list(s.Resources[id].Properties["MetricTransformations"]) {
			filters[text(m, "MetricName")] = true
		}
	}
	wanted := s.of(typeTable)
	for _, id := range s.of(typeFunction) {
		wanted = append(wanted, ref(at(s.Resources[id].Properties, "LoggingConfig", "LogGroup")))
	}
	slices.Sort(wanted)
	wanted = slices.Compact(wanted)
	for _, id := range s.of(typeDashboard) {
		for _, name := range wanted {
			if !strings.Contains(fmt.Sprint(s.Resources[id].Properties["DashboardBody"]), "${"+name+"}") {
				f.add("%s: it does not show %s", id, name)
			}
		}
		sub := at(s.Resources[id].Properties["DashboardBody"], "Fn::Sub")
		body, _ := sub.(string)
		if parts := list(sub); body == "" && len(parts) > 0 {
			body, _ = parts[0].(string)
		}
		var board struct {
			Widgets []struct {
				Properties struct{ Metrics [][]any }
			}
		}
		if err := json.Unmarshal([]byte(placeholder.ReplaceAllString(body, "x")), &board); err != nil {
			f.add("%s: its body is not JSON: %v", id, err)
			continue
		}
		if len(board.Widgets) == 0 {
			f.add("%s: it has no widgets", id)
		}
		for _, widget := range board.Widgets {
			var before []string
			for _, row := range widget.Properties.Metrics {
				before = unfold(row, before)
				if len(before) < 2 {
					f.add("%s: a metric has no name: %v", id, row)
					continue
				}
				if strings.HasPrefix(before[0], "Tienda/") {
					if !filters[before[1]] {
						f.add("%s: no filter makes the metric %s", id, before[1])
					}
					continue
				}
				var dimensions []string
				for i := 2; i < len(before); i += 2 {
					dimensions = append(dimensions, before[i])
				}
				slices.Sort(dimensions)
				if !slices.Contains(emitted(before[0], dimensions), before[1]) {
					f.add("%s: nothing emits the metric %s of %s with the dimensions %v", id, before[1], before[0], dimensions)
				}
			}
		}
	}
	return f
}

// unfold returns a row of a widget without CloudWatch's shorthand: "." repeats one field of the row before, "..." all.
func unfold(row []any, before []string) []string {
	var fields []string
	for i, field := range row {
		switch text := fmt.Sprint(field); {
		case text == "...":
			fields = slices.Clone(before)
		case strings.HasPrefix(text, "map["): // options
		case text == "." && i < len(before):
			fields = append(fields, before[i])
		default:
			fields = append(fields, text)
		}
	}
	return fields
}
