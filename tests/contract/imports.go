package contract

import (
	"maps"
	"path"
	"slices"
	"strings"
)

// Package is a Go package and what it imports directly.
type Package struct {
	// Path is the import path.
	Path string
	// Name is the package's name, main for a command.
	Name string
	// Imports are its direct imports, tests left out.
	Imports []string
}

// Arrows checks the direct imports of our packages against the arrows between the folders: what
// runs on Lambda does not know what runs it here, the library does not know the shop, a resource
// knows no other resource and no store, only stores speak to AWS, and only shared/jwt reads tokens.
func Arrows(packages []Package) []string {
	var f faults
	for _, p := range packages {
		from, ok := strings.CutPrefix(p.Path, Module+"/")
		if !ok {
			continue
		}
		for _, imported := range p.Imports {
			if to, ours := strings.CutPrefix(imported, Module+"/"); ours {
				if !mayImport(from, p.Name, to) {
					f.add("%s imports %s", from, to)
				}
				continue
			}
			if awsSDK(imported) && !mayUseAWS(from) {
				f.add("%s imports %s: only ddb, *ddb, *aws and awsjson use the SDK", from, imported)
			}
			if under(imported, "github.com/golang-jwt") && from != "shared/jwt" {
				f.add("%s imports %s: only shared/jwt reads tokens", from, imported)
			}
			if otelSDK(imported) && !under(from, "shared/telemetry") && onLambda(from) {
				f.add("%s imports %s: only shared/telemetry links the OTel SDK", from, imported)
			}
		}
	}
	return f
}

func under(p, folder string) bool { return p == folder || strings.HasPrefix(p, folder+"/") }

func onLambda(p string) bool {
	return under(p, "functions") || under(p, "authorizer") || under(p, "internal") || under(p, "shared")
}

func awsSDK(p string) bool {
	return under(p, "github.com/aws/aws-sdk-go-v2") || under(p, "github.com/aws/smithy-go")
}

func otelSDK(p string) bool {
	return under(p, "go.opentelemetry.io/otel/sdk") || under(p, "go.opentelemetry.io/otel/exporters") ||
		under(p, "go.opentelemetry.io/contrib")
}

func mayUseAWS(from string) bool {
	if !onLambda(from) {
		return true
	}
	base := path.Base(from)
	return under(from, "shared/ddb") || from == "shared/awsjson" || strings.HasSuffix(base, "ddb") || strings.HasSuffix(base, "aws")
}

// mayImport holds every arrow between our own packages. Paths are relative to the module.
func mayImport(from, name, to string) bool {
	switch {
	case under(from, "shared"):
		return under(to, "shared") && mayImportShared(from, to)
	case from == "authorizer":
		return under(to, "shared") || under(to, "internal")
	case under(from, "internal"):
		return mayImportFromInternal(from, to)
	case under(from, "functions"):
		return mayImportFromFunctions(from, name, to)
	default:
		// local, tools and tests use what they need, tests apart.
		return !under(to, "tests") || under(from, "tests")
	}
}

// mayImportFromInternal lets what the programs share know the library and itself, and the policy, which
// every resource imports, know nothing that starts a process.
func mayImportFromInternal(from, to string) bool {
	if from == policyPackage {
		return under(to, "shared") && !under(to, "shared/app")
	}
	return under(to, "shared") || under(to, "internal")
}

// policyPackage holds what every resource may import: data and rules.
const policyPackage = "internal/policy"

func mayImportFromFunctions(from, name, to string) bool {
	if under(to, "shared") {
		// Only a main starts a process; what it wires reads its Setup.
		return !under(to, "shared/app") || name == "main"
	}
	resource := strings.Join(strings.SplitN(from, "/", 3)[:2], "/")
	switch {
	case name == "main":
		return to == resource || isWiring(to) || isStore(to)
	case from == resource:
		return to == policyPackage
	default:
		// A store and a test suite know their own resource.
		return to == resource || to == policyPackage
	}
}

// isWiring says whether p is there for mains: they share how a table or a key is opened. What a
// resource may import too is the policy alone.
func isWiring(p string) bool {
	return under(p, "internal") && p != policyPackage
}

// isStore says whether p is a resource's store: functions/catalog/catalogddb.
func isStore(p string) bool {
	parts := strings.Split(p, "/")
	return len(parts) == 3 && parts[0] == "functions" && parts[2] == parts[1]+"ddb"
}

// mayImportShared holds the order inside the library: identity, logging -> problem -> api ->
// middleware; identity -> lambdahttp; app on top of these. What app does not wire by itself does
// not know app either.
func mayImportShared(from, to string) bool {
	ground := []string{"shared/identity", "shared/logging"}
	allowed, listed := map[string][]string{
		"shared/identity":   {},
		"shared/logging":    {},
		"shared/problem":    ground,
		"shared/lambdahttp": append(slices.Clone(ground), "shared/problem"),
		"shared/api":        append(slices.Clone(ground), "shared/problem"),
		"shared/middleware": append(slices.Clone(ground), "shared/problem", "shared/api"),
	}[from]
	if listed {
		return slices.Contains(allowed, to)
	}
	apart := []string{"shared/ddb", "shared/jwt", "shared/session", "shared/telemetry"}
	for _, concern := range apart {
		if under(from, concern) && under(to, "shared/app") || under(from, "shared/app") && under(to, concern) {
			return false
		}
	}
	return true
}

// Linked returns everything that the package links, by the direct imports of all packages.
func Linked(root string, packages []Package) []string {
	byPath := make(map[string][]string, len(packages))
	for _, p := range packages {
		byPath[p.Path] = p.Imports
	}
	seen := map[string]bool{}
	var visit func(string)
	visit = func(p string) {
		if seen[p] {
			return
		}
		seen[p] = true
		for _, imported := range byPath[p] {
			visit(imported)
		}
	}
	visit(root)
	return slices.Sorted(maps.Keys(seen))
}

// Binary checks what one function links: nothing that is banned from every function, and exactly
// the AWS clients that it is allowed. A client costs start-up time even when it is never called.
func Binary(name string, linked, clients []string) []string {
	banned := map[string]string{
		"github.com/aws/aws-sdk-go-v2/config": "it links every credential source",
		"text/template":                       "it switches off dead-code elimination",
		"html/template":                       "it switches off dead-code elimination",
		"net/rpc":                             "functions are built with lambda.norpc",
		"testing":                             "tests do not belong in a function",
	}
	var f faults
	var found []string
	for _, p := range linked {
		if why, ok := banned[p]; ok {
			f.add("%s links %s: %s", name, p, why)
		}
		if service, ok := strings.CutPrefix(p, "github.com/aws/aws-sdk-go-v2/service/"); ok && !strings.Contains(service, "/") {
			found = append(found, service)
		}
		if under(p, Module+"/local") || under(p, Module+"/tools") || under(p, Module+"/tests") {
			f.add("%s links %s", name, strings.TrimPrefix(p, Module+"/"))
		}
	}
	for _, service := range found {
		if !slices.Contains(clients, service) {
			f.add("%s links the client of %s, which its list does not allow", name, service)
		}
	}
	for _, service := range clients {
		if !slices.Contains(found, service) {
			f.add("%s is allowed the client of %s and does not link it", name, service)
		}
	}
	return f
}

// Size checks a stripped amd64 binary against its ceiling: 2 ms of cold start per megabyte.
func Size(name string, bytes int64) []string {
	var f faults
	ceiling := int64(11_000_000)
	if name == "authorizer" {
		ceiling = 9_000_000
	}
	if bytes > ceiling {
		f.add("%s has %d bytes, want at most %d", name, bytes, ceiling)
	}
	return f
}
