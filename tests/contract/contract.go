// Package contract checks that the parts of the repository agree: routes in code, main.go files,
// template, sample events, documentation, build targets and what the binaries link.
//
// Each rule is a function that returns what is wrong and what to do about it. The tests run it on the
// repository, where it must find nothing, and on planted faults, which it must name.
package contract

import (
	"fmt"
	"slices"
	"strings"
	"testing"
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

// Expect fails the test unless got has exactly the faults that contain the wanted texts.
func Expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !slices.ContainsFunc(got, func(g string) bool { return strings.Contains(g, w) }) {
			t.Errorf("no fault contains %q; got %q", w, got)
		}
	}
	for _, g := range got {
		if !slices.ContainsFunc(want, func(w string) bool { return strings.Contains(g, w) }) {
			t.Errorf("unexpected fault %q", g)
		}
	}
}
