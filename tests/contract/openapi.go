package contract

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/tienda-dev/tienda/local/template"
)

// Codes checks that the pages name every code of a problem in the OpenAPI document, in code style.
func Codes(document []byte, pages string) []string {
	var f faults
	var read struct {
		Paths map[string]map[string]struct {
			Responses map[string]struct {
				Content map[string]struct {
					Schema struct {
						AllOf []struct {
							Properties struct {
								Code struct {
									Enum []string `yaml:"enum"`
								} `yaml:"code"`
							} `yaml:"properties"`
						} `yaml:"allOf"`
					} `yaml:"schema"`
				} `yaml:"content"`
			} `yaml:"responses"`
		} `yaml:"paths"`
	}
	if err := yaml.Unmarshal(document, &read); err != nil {
		return []string{fmt.Sprintf("openapi.yaml: %v", err)}
	}
	codes := map[string]string{}
	for path, operations := range read.Paths {
		for method, operation := range operations {
			for status, response := range operation.Responses {
				for _, part := range response.Content["application/problem+json"].Schema.AllOf {
					for _, code := range part.Properties.Code.Enum {
						where := status + " of " + strings.ToUpper(method) + " " + path
						if first, known := codes[code]; !known || where < first {
							codes[code] = where
						}
					}
				}
			}
		}
	}
	if len(codes) == 0 {
		f.add("openapi.yaml has no codes of problems")
	}
	for code, where := range codes {
		if !strings.Contains(pages, "`"+code+"`") {
			f.add("%s (%s) is in openapi.yaml: add it to a table in docs/security.md or docs/auth.md", code, where)
		}
	}
	slices.Sort(f)
	return f
}

// OpenAPI compares the operations of the OpenAPI document with the routes of the template, under the names and
// with the authorizer that follow from it. The default route is not an operation.
func OpenAPI(document []byte, t *template.Template) []string {
	var f faults
	var read struct {
		Paths map[string]map[string]struct {
			ID       string           `yaml:"operationId"`
			Security []map[string]any `yaml:"security"`
		} `yaml:"paths"`
	}
	if err := yaml.Unmarshal(document, &read); err != nil {
		return []string{fmt.Sprintf("openapi.yaml: %v", err)}
	}
	described := map[string]bool{}
	for path, operations := range read.Paths {
		for method := range operations {
			described[strings.ToUpper(method)+" "+path] = true
		}
	}
	for _, fn := range t.Functions {
		for _, route := range fn.Routes {
			if route.Path == "" {
				continue
			}
			if !described[route.Key()] {
				f.add("%s is in template.yaml and not in openapi.yaml: describe it in openapi.go and run make generate", route.Key())
				continue
			}
			delete(described, route.Key())
			operation := read.Paths[route.Path][strings.ToLower(route.Method)]
			name := Camel(fn.Name)
			own, head := strings.ToLower(name[:1])+name[1:], "head"+name
			if operation.ID != own && (route.Method != http.MethodHead || operation.ID != head) {
				f.add("%s has the operationId %q in openapi.yaml, want %q", route.Key(), operation.ID, own)
			}
			secured := slices.ContainsFunc(operation.Security, func(scheme map[string]any) bool { return len(scheme) > 0 })
			if secured != (route.Authorizer != "") {
				f.add("%s has the authorizer %q in template.yaml, and a token in openapi.yaml: %t", route.Key(), route.Authorizer, secured)
			}
		}
	}
	for key := range described {
		f.add("%s is in openapi.yaml and not in template.yaml: run make generate", key)
	}
	slices.Sort(f)
	return f
}
