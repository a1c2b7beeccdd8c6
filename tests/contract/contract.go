// Package contract holds the repository's parts against each other: routes in code, main.go files,
// template, sample events, documentation, build targets and what the binaries link.
//
// Each rule is a function from what it compares to the list of faults it found, so that a test can
// show it both the repository, where it must find none, and a planted fault, which it must name.
package contract

import (
	"fmt"
	"strings"
)

// Module is the module's path.
const Module = "github.com/tienda-dev/tienda"

// faults collects sentences about what is wrong.
type faults []string

func (f *faults) add(format string, args ...any) {
	*f = append(*f, fmt.Sprintf(format, args...))
}

// Camel turns an operation's name into Go's form: "create-product" into "CreateProduct".
func Camel(name string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(name, "-") {
		if word != "" {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return b.String()
}
