// Package page writes the table of metrics of docs/observability.md.
package page

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tienda-dev/tienda/shared/metrics"
)

// File is the page, from the root of the repository.
const File = "docs/observability.md"

const (
	begin = "<!-- metrics: written by `make generate` -->\n"
	end   = "<!-- end of metrics -->\n"
)

// Write returns the page with the table of the catalogue between its two marks.
func Write(page string) (string, error) {
	before, rest, ok := strings.Cut(page, begin)
	_, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		return "", errors.New(File + " has no marks of the table")
	}
	var table strings.Builder
	table.WriteString("| Metric | Kind, unit | Attributes | Meaning |\n|---|---|---|---|\n")
	for _, d := range metrics.Catalogue() {
		attributes := "none"
		if len(d.Attributes) > 0 {
			attributes = "`" + strings.Join(d.Attributes, "`, `") + "`"
		}
		fmt.Fprintf(&table, "| `%s` | %s, `%s` | %s | %s |\n", d.Name, d.Kind, d.Unit, attributes, d.Description)
	}
	return before + begin + table.String() + end + after, nil
}
