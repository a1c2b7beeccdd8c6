package contract

import (
	"slices"
	"strings"

	"github.com/tienda-dev/tienda/local/template"
	"github.com/tienda-dev/tienda/tools/dist"
)

const passwords = Module + "/shared/password"

// Hashing checks that the functions that hash passwords, and no others, reserve concurrency: a hash
// takes 19 MiB and a core for its time, so how many may run at once is the operator's to say.
// The template must be read with a HashingConcurrency.
func Hashing(functions []dist.Function, packages []Package, t *template.Template) []string {
	var f faults
	for _, fn := range functions {
		hashes := makesHasher(Module+"/"+fn.Folder, packages)
		i := slices.IndexFunc(t.Functions, func(in template.Function) bool { return in.Name == fn.Name })
		reserved := i >= 0 && t.Functions[i].ReservedConcurrency != nil
		switch {
		case hashes && !reserved:
			f.add("%s hashes passwords and has no ReservedConcurrentExecutions", fn.Name)
		case reserved && !hashes:
			f.add("%s has ReservedConcurrentExecutions and hashes no passwords", fn.Name)
		}
	}
	return f
}

// makesHasher says whether a main imports shared/password, or some wiring that does. A resource names
// the package too, for its rules and its types; what hashes is made in a main.
func makesHasher(main string, packages []Package) bool {
	return slices.ContainsFunc(packages, func(p Package) bool {
		if p.Path != main {
			return false
		}
		return slices.Contains(p.Imports, passwords) || slices.ContainsFunc(p.Imports, func(imported string) bool {
			to, ours := strings.CutPrefix(imported, Module+"/")
			return ours && isWiring(to) && makesHasher(imported, packages)
		})
	})
}
