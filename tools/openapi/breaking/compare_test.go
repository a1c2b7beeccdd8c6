//go:build outside

package breaking_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/tienda-dev/tienda/tools/openapi/breaking"
)

// root is the repository, seen from this package's folder.
const root = "../../.."

// object is an object of openapi.yaml.
type object map[string]any

// at returns the object behind some names.
func (o object) at(names ...string) object {
	for _, name := range names {
		o, _ = o[name].(map[string]any)
	}
	return o
}

// operation returns an operation.
func (o object) operation(method, path string) object { return o.at("paths", path, method) }

// schema returns a named schema.
func (o object) schema(name string) object { return o.at("components", "schemas", name) }

// without removes a member of a schema.
func (o object) without(member string) {
	delete(o.at("properties"), member)
	if required, ok := o["required"].([]any); ok {
		o["required"] = slices.DeleteFunc(required, func(name any) bool { return name == member })
	}
}

// codes changes the codes of an operation's problem with a status.
func (o object) codes(method, path, status string, change func([]any) []any) {
	content := o.operation(method, path).at("responses", status, "content", "application/problem+json", "schema")
	parts, _ := content["allOf"].([]any)
	own, _ := parts[1].(map[string]any)
	code := object(own).at("properties", "code")
	values, _ := code["enum"].([]any)
	code["enum"] = change(values)
}

// parameter returns a parameter of an operation.
func (o object) parameter(name string) object {
	list, _ := o["parameters"].([]any)
	for _, item := range list {
		if p, _ := item.(map[string]any); p["name"] == name {
			return p
		}
	}
	return nil
}

const (
	productsPath = "/v1/products"
	productPath  = "/v1/products/{id}"
	stockPath    = "/v1/products/{id}/inventory"
)

// breakingChanges are changes of openapi.yaml that break clients, and the line that `make openapi-diff` prints.
var breakingChanges = []struct {
	name   string
	change func(d object)
	line   string
}{
	{
		"MemberRenamed", func(d object) {
			d.schema("Inventory").without("available")
			d.schema("Inventory").at("properties")["in_stock"] = map[string]any{"type": "integer"}
		},
		"GET /v1/products/{id}/inventory removed the required property `available` from the response with the `200` status",
	},
	{
		"ProblemWithoutCode", func(d object) { d.schema("Problem").without("code") },
		"POST /v1/products the response property `code` became optional for the status `409`",
	},
	{
		"MoneyWithoutCurrency", func(d object) { d.schema("Money").without("currency") },
		"GET /v1/products/{id} removed the required property `price/currency` from the response with the `200` status",
	},
	{
		"CodeRenamed", func(d object) {
			d.codes("post", productsPath, "409", func(codes []any) []any { return append(slices.Delete(codes, 0, 1), "sku_taken") })
		},
		"POST /v1/products removed the `sku_exists` enum value from the `code` response property for the response status `409`",
	},
	{
		"RequestMemberRemoved", func(d object) { d.schema("CreateProduct").without("tags") },
		"POST /v1/products removed the request property `tags`",
	},
	{
		"RequestMemberRequired", func(d object) {
			schema := d.schema("CreateProduct")
			required, _ := schema["required"].([]any)
			schema["required"] = append(required, "tags")
		},
		"POST /v1/products the request property `tags` became required",
	},
	{
		"ParameterRemoved", func(d object) {
			list := d.operation("get", productsPath)
			parameters, _ := list["parameters"].([]any)
			list["parameters"] = slices.DeleteFunc(parameters, func(p any) bool {
				parameter, _ := p.(map[string]any)
				return parameter["name"] == "category"
			})
		},
		"GET /v1/products deleted the `query` request parameter `category`",
	},
	{
		"ParameterDefault", func(d object) { d.operation("get", productsPath).parameter("limit").at("schema")["default"] = 5 },
		"GET /v1/products for the `query` request parameter `limit`, default value was changed from `20.00` to `5.00`",
	},
	{
		"PatternTightened", func(d object) { d.schema("CreateProduct").at("properties", "sku")["pattern"] = "^a$" },
		"POST /v1/products changed the pattern of the request property `sku`",
	},
	{
		"OptionalMemberRemoved", func(d object) { d.schema("ProductPage").without("next_cursor") },
		"GET /v1/products removed the optional property `next_cursor` from the response with the `200` status",
	},
	{
		"HeaderRemoved", func(d object) { delete(d.operation("get", productPath).at("responses", "200", "headers"), "ETag") },
		"response header `etag` removed for the status `200`",
	},
	{
		"NotModifiedRemoved", func(d object) { delete(d.operation("get", productPath).at("responses"), "304") },
		"GET /v1/products/{id} removed the non-success response with the status `304`",
	},
	{
		"ConflictRemoved", func(d object) { delete(d.operation("post", productsPath).at("responses"), "409") },
		"POST /v1/products removed the non-success response with the status `409`",
	},
	{
		"RolesAdded", func(d object) { d.operation("get", productPath)["x-roles"] = []any{"admin"} },
		"GET /v1/products/{id} now wants one of the roles `admin`",
	},
	{
		"RoleRemoved", func(d object) { d.operation("post", productsPath)["x-roles"] = []any{"admin"} },
		"POST /v1/products no longer lets the role `catalog` in",
	},
	{
		"TokenRequired", func(d object) { d.operation("get", productPath)["security"] = []any{map[string]any{"bearer": []any{}}} },
		"GET /v1/products/{id} the endpoint no longer allows anonymous access and now only accepts `bearer`",
	},
	{
		"OperationRemoved", func(d object) { delete(d.at("paths", productsPath), "post") },
		"POST /v1/products API removed without deprecation",
	},
	{
		"OperationRenamed", func(d object) { d.operation("post", productsPath)["operationId"] = "addProduct" },
		"POST /v1/products API operation id `createProduct` removed and replaced with `addProduct`",
	},
}

// TestBreakingChangeIsNamed makes each change: `make openapi-diff` fails and names the operation, unless the change is
// accepted.
func TestBreakingChangeIsNamed(t *testing.T) {
	t.Parallel()
	base := documentFile(t)
	for _, test := range breakingChanges {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			revision := changed(t, base, test.change)
			said, breaks := compared(t, base, revision, "")
			if !breaks || !slices.ContainsFunc(said, func(line string) bool { return strings.Contains(line, test.line) }) {
				t.Errorf("it breaks clients: %t, want true and %q in:\n%s", breaks, test.line, strings.Join(said, "\n"))
			}
			var accepted strings.Builder
			for _, line := range said {
				accepted.WriteString(line + " # the test wants it\n")
			}
			if left, breaks := compared(t, base, revision, accepted.String()); breaks {
				t.Errorf("all changes are accepted, but it still names:\n%s", strings.Join(left, "\n"))
			}
		})
	}
}

// TestAdditionBreaksNobody makes the changes that docs/api.md allows within a version.
func TestAdditionBreaksNobody(t *testing.T) {
	t.Parallel()
	base := documentFile(t)
	for name, change := range map[string]func(d object){
		"Nothing": func(object) {},
		"Operation": func(d object) {
			d.at("paths")["/v1/new"] = map[string]any{"get": map[string]any(d.operation("get", productsPath))}
		},
		"OptionalParameter": func(d object) {
			list := d.operation("get", productsPath)
			parameters, _ := list["parameters"].([]any)
			list["parameters"] = append(parameters, map[string]any{"in": "query", "name": "new", "schema": map[string]any{"type": "string"}})
		},
		"Members": func(d object) {
			for _, name := range []string{"Product", "CreateProduct", "ProductPage", "Problem"} {
				d.schema(name).at("properties")["new"] = map[string]any{"type": "string"}
			}
		},
		"Code": func(d object) {
			d.codes("post", productsPath, "409", func(codes []any) []any { return append(codes, "new_code") })
		},
		"EnumOfAnswer": func(d object) {
			enum := d.schema("ProductStatus")
			values, _ := enum["enum"].([]any)
			enum["enum"] = append(values, "hidden")
		},
		"Role":     func(d object) { d.operation("post", productsPath)["x-roles"] = []any{"admin", "catalog", "support"} },
		"AllRoles": func(d object) { delete(d.operation("post", productsPath), "x-roles") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if said, breaks := compared(t, base, changed(t, base, change), ""); breaks {
				t.Errorf("it is said to break clients:\n%s", strings.Join(said, "\n"))
			}
		})
	}
}

// oasdiff returns the path of oasdiff, which make test-outside installs.
func oasdiff(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "tools", "tools.mk"))
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`(?m)^OASDIFF_VERSION *:= *(\S+)$`).FindSubmatch(text)
	if version == nil {
		t.Fatal("tools.mk has no OASDIFF_VERSION")
	}
	return filepath.Join(root, ".cache", "bin", "oasdiff-"+string(version[1]), "oasdiff")
}

// documentFile writes the paths of openapi.yaml that the tests change, and returns the file's path. It is JSON, and small,
// because oasdiff reads it a hundred times.
func documentFile(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "openapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var document map[string]any
	if err := yaml.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	paths := object(document).at("paths")
	maps.DeleteFunc(paths, func(path string, _ any) bool { return path != productsPath && path != productPath && path != stockPath })
	return written(t, document)
}

// changed returns the path of a changed copy of a document.
func changed(t *testing.T, base string, change func(object)) string {
	t.Helper()
	text, err := os.ReadFile(base)
	if err != nil {
		t.Fatal(err)
	}
	var document map[string]any
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	change(document)
	return written(t, document)
}

func written(t *testing.T, document map[string]any) string {
	t.Helper()
	text, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "openapi.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// compared compares two documents with the repository's severities. It returns what breaks clients, as accepted names
// it: METHOD /path text.
func compared(t *testing.T, base, revision, accepted string) (changes []string, breaks bool) {
	t.Helper()
	rules := t.TempDir()
	severities, err := os.ReadFile(filepath.Join(root, "tools", "openapi", breaking.Severities))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{breaking.Severities: severities, breaking.Accepted: []byte(accepted)} {
		if err := os.WriteFile(filepath.Join(rules, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tool := breaking.Tool{Oasdiff: oasdiff(t), Rules: rules}
	var said bytes.Buffer
	breaks, err = tool.Compare(t.Context(), &said, base, revision)
	if err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	var operation string
	for line := range strings.Lines(said.String()) {
		line = strings.TrimRight(line, "\n")
		if at, ok := strings.CutPrefix(line, "\tin API "); ok {
			operation = at
		} else if text, ok := strings.CutPrefix(line, "\t\t"); ok && operation != "" {
			changes = append(changes, operation+" "+text)
			operation = ""
		}
	}
	return changes, breaks
}
