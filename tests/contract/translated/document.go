package translated

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// emptyValue is how the documentation writes an empty parameter.
const emptyValue = "empty"

// Documented compares a page's table of parameters with what the environments deploy. The row of a
// parameter is "| `Name` | value | value | … |", with one value per environment in their order.
func Documented(page string, environments []Stack) []string {
	var f faults
	rows := map[string][]string{}
	for line := range strings.Lines(page) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) < len(environments)+3 || !strings.HasPrefix(strings.TrimSpace(cells[1]), "`") {
			continue
		}
		for i, cell := range cells {
			cells[i] = strings.Trim(strings.TrimSpace(cell), "`")
		}
		rows[cells[1]] = cells[2 : 2+len(environments)]
	}
	for i, stack := range environments {
		for _, name := range slices.Sorted(maps.Keys(stack.Parameters)) {
			row, ok := rows[name]
			if !ok {
				f.add("%s: the page does not have it", name)
				continue
			}
			want := fmt.Sprint(stack.Parameters[name].Default)
			if want == "" {
				want = emptyValue
			}
			if row[i] != want {
				f.add("%s: the page says %q in column %d, and %q is deployed", name, row[i], i+1, want)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		if _, ok := environments[0].Parameters[name]; !ok {
			f.add("%s: the page has it, and the template does not", name)
		}
	}
	return slices.Compact(f)
}
