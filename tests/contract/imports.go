package contract

import (
	"path"
	"slices"
	"strings"
)

// Package is a Go package as `go list -json` describes it. Tests are left out.
type Package struct {
	// Path is the import path.
	Path string `json:"ImportPath"`
	// Name is the package's name, main for a command.
	Name string
	// Imports are its direct imports.
	Imports []string
	// Deps are the packages that it links.
	Deps []string
}

// Arrows checks the direct imports of our packages: what runs on Lambda does not import what runs it
// locally, the library does not import the shop, a resource imports no other resource and no store, only
// stores call AWS, and only shared/jwt reads tokens.
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
					f.add("%s imports %s: docs/library.md and .golangci.yml say what it may import", from, to)
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

// mayImport reports whether one of our packages may import another. Paths are relative to the module.
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
		// local, tools and tests may import everything; only tests may import tests.
		return !under(to, "tests") || under(from, "tests")
	}
}

// mayImportFromInternal lets internal/ import the library and itself. Every resource imports the policy, so
// that one may import nothing that starts a process.
func mayImportFromInternal(from, to string) bool {
	if from == policyPackage {
		return under(to, "shared") && !under(to, "shared/app")
	}
	return under(to, "shared") || under(to, "internal") || joinsResources(from) && under(to, "functions")
}

// joinsResources reports whether p is a package that joins resources to their stores and providers, for mains.
func joinsResources(p string) bool {
	return p == "internal/prices" || p == "internal/checkout" || p == "internal/stripe"
}

// policyPackage holds what every resource may import: data and rules.
const policyPackage = "internal/policy"

func mayImportFromFunctions(from, name, to string) bool {
	if under(to, "shared") {
		// Only a main starts a process.
		return !under(to, "shared/app") || name == "main"
	}
	resource := strings.Join(strings.SplitN(from, "/", 3)[:2], "/")
	switch {
	case name == "main":
		return to == resource || isWiring(to) || isStore(to)
	case from == resource:
		return to == policyPackage
	default:
		// A store and a test suite import their own resource.
		return to == resource || to == policyPackage
	}
}

// isWiring reports whether p is for mains, which share how a table or a key is opened. A resource may
// import the policy only.
func isWiring(p string) bool {
	return under(p, "internal") && p != policyPackage
}

// isStore reports whether p is a resource's store: functions/catalog/catalogddb.
func isStore(p string) bool {
	parts := strings.Split(p, "/")
	return len(parts) == 3 && parts[0] == "functions" && parts[2] == parts[1]+"ddb"
}

// mayImportShared holds the order inside the library: identity, logging -> problem -> api ->
// middleware; identity -> lambdahttp; app on top of these. App and the packages listed as apart do not
// import each other.
func mayImportShared(from, to string) bool {
	ground := []string{"shared/identity", "shared/logging"}
	allowed, listed := map[string][]string{
		"shared/identity":   {},
		"shared/logging":    {},
		"shared/problem":    ground,
		"shared/lambdahttp": append(slices.Clone(ground), "shared/problem", "shared/internal/rawjson"),
		"shared/api":        append(slices.Clone(ground), "shared/problem"),
		"shared/middleware": append(slices.Clone(ground), "shared/problem", "shared/api", "shared/internal/after"),
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

// metricsFunction is the function that serves Prometheus' formats.
const metricsFunction = "get-metrics"

// Binary checks what one function links: nothing that is banned from every function, and exactly
// the AWS clients that it is allowed. A client costs start-up time even if it is never called.
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
		if why, ok := banned[p]; ok && (p != "testing" || name != metricsFunction) { // client_golang's parser links it
			f.add("%s links %s: %s", name, p, why)
		}
		if service, ok := strings.CutPrefix(p, "github.com/aws/aws-sdk-go-v2/service/"); ok && !strings.Contains(service, "/") {
			found = append(found, service)
		}
		if under(p, Module+"/internal/openapi") || under(p, "github.com/swaggest") {
			f.add("%s links %s: only openapi.go, with its build tag, describes operations", name, p)
		}
		if under(p, "github.com/prometheus") && name != metricsFunction {
			f.add("%s links %s: only %s serves Prometheus", name, p, metricsFunction)
		}
		if under(p, Module+"/local") || under(p, Module+"/tools") || under(p, Module+"/tests") {
			f.add("%s links %s", name, strings.TrimPrefix(p, Module+"/"))
		}
	}
	for _, service := range found {
		if !slices.Contains(clients, service) {
			f.add("%s links the client of %s: if the function calls it, add it to clients() in tests/contract/repository_test.go", name, service)
		}
	}
	for _, service := range clients {
		if !slices.Contains(found, service) {
			f.add("%s does not link the client of %s: remove it from clients() in tests/contract/repository_test.go", name, service)
		}
	}
	return f
}

// Size checks a stripped amd64 binary against its ceiling: 2 ms of cold start per megabyte.
func Size(name string, bytes int64) []string {
	var f faults
	ceiling := int64(16_500_000)
	if name == "authorizer" {
		ceiling = 13_500_000
	}
	if bytes > ceiling {
		f.add("%s has %d bytes, want at most %d: `go list -deps` shows what its main.go links", name, bytes, ceiling)
	}
	return f
}
