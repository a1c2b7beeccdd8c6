package main

import (
	"fmt"
	"strings"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/ratelimit"
)

// classTable returns the table of internal/policy's classes, in Markdown.
func classTable() string {
	var b strings.Builder
	b.WriteString("| Class | Per | Policy | Limit | At once | Store down | Shows what is left |\n|---|---|---|---|---|---|---|\n")
	for _, class := range policy.Classes() {
		for _, kind := range []struct {
			per      string
			policies []ratelimit.Policy
		}{{"address", class.IP}, {"user", class.User}} {
			for _, p := range kind.policies {
				shows := "yes"
				if class.Hide {
					shows = "no"
				}
				fmt.Fprintf(&b, "| `%s` | %s | `%s` | %d per %s | %d | %v | %s |\n",
					class.Rate, kind.per, p.Name, p.Limit, strings.TrimSuffix(strings.TrimSuffix(p.Window.String(), "0s"), "0m"), p.Capacity(), class.OnError, shows)
			}
		}
	}
	return b.String()
}
