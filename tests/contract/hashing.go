package contract

import (
	"slices"
	"strings"

	"github.com/tienda-dev/tienda/local/template"
	"github.com/tienda-dev/tienda/tools/dist"
)

const passwords = Module + "/shared/password"

// Hashing checks that the functions that hash passwords, and no others, reserve concurrency when the
// operator sets HashingConcurrency: a hash takes 19 MiB and a core, so a flood of logins would take the
// account's concurrency from every other function. Nothing is reserved by default, because an account with
// a low limit has nothing to reserve.
//
// The template is read twice: as it is, and with HashingConcurrency set to limit.
func Hashing(functions []dist.Function, packages []Package, unset, set *template.Template, limit int) []string {
	var f faults
	for _, fn := range functions {
		byDefault, reserved := reservation(unset, fn.Name), reservation(set, fn.Name)
		switch hashes := makesHasher(Module+"/"+fn.Folder, packages); {
		case byDefault != nil:
			f.add("%s reserves concurrency by default: let only HashingConcurrency set it", fn.Name)
		case hashes && (reserved == nil || *reserved != limit):
			f.add("%s hashes passwords: give it the ReservedConcurrentExecutions that LoginFunction has", fn.Name)
		case !hashes && reserved != nil:
			f.add("%s hashes no passwords: remove its ReservedConcurrentExecutions", fn.Name)
		}
	}
	return f
}

func reservation(t *template.Template, name string) *int {
	for _, fn := range t.Functions {
		if fn.Name == name {
			return fn.ReservedConcurrency
		}
	}
	return nil
}

// makesHasher reports whether a main, or a package of internal/ that it imports, imports shared/password.
// A resource imports it too, for its rules and its types; only a main makes what hashes.
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
