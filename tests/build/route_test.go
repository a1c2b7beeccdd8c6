package build_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestRouteIsComplete makes routes in a clone, as `make route` does, and runs the checks there that name what a route
// lacks.
func TestRouteIsComplete(t *testing.T) {
	t.Parallel()
	clone := filepath.Join(t.TempDir(), "tienda")
	in := func(dir, name string, args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	must := func(dir, name string, args ...string) {
		t.Helper()
		if out, err := in(dir, name, args...); err != nil {
			t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
		}
	}
	copyTree(t, clone)

	route := func(name, resource, method, path, auth, rate string) (string, error) {
		return in(clone, "make", "--no-print-directory", "route",
			"NAME="+name, "RESOURCE="+resource, "METHOD="+method, "ROUTE="+path, "AUTH="+auth, "RATE="+rate)
	}
	for _, args := range [][6]string{
		{"count-products", "catalog", "GET", "/v1/products/count", "public", ""},
		{"review-product", "catalog", "POST", "/v1/products/{id}/reviews", "required", "sensitive"},
		{"get-plans", "customers", "GET", "/v1/plans/{id}", "public", "meta"},
		{"forget-address", "customers", "DELETE", "/v1/customers/me/addresses/{address_id}", "required", ""},
	} {
		if out, err := route(args[0], args[1], args[2], args[3], args[4], args[5]); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	for _, rate := range []string{"policy.RatePublicRead", "policy.RateSensitive"} {
		must(clone, "grep", "-q", rate+",$", "functions/catalog/routes.go")
	}
	if out, err := route("count-products", "nothing", "FETCH", "/a//b", "maybe", "fast"); err == nil ||
		!strings.Contains(out, "AUTH is") || !strings.Contains(out, "unknown method") || !strings.Contains(out, "RESOURCE is") ||
		!strings.Contains(out, "exists") || !strings.Contains(out, "RATE is") {
		t.Errorf("a wrong route: got %v\n%s", err, out)
	}
	for rate, want := range map[string]string{"": "RATE is empty", "user-write": "RATE is user-write"} {
		if out, err := route("ask-question", "catalog", "POST", "/v1/questions", "public", rate); err == nil || !strings.Contains(out, want) {
			t.Errorf("a public route with RATE=%s: got %v, want %s\n%s", rate, err, want, out)
		}
	}

	must(clone, "go", "vet", "./...")
	must(clone, "go", "test", "./functions/catalog", "./functions/customers")
	must(clone, "go", "test", "-tags", "openapi", "./tools/openapi/...")
	for _, operation := range []string{"countProducts", "reviewProduct", "getPlans", "forgetAddress"} {
		must(clone, "grep", "-q", "operationId: "+operation+"$", "openapi.yaml")
	}
	must(clone, "go", "test", "./tests/contract", "-run", "Route|Event|Folder|Block|Grants|Resources|Links|Main|Generated|Documents|CORS")
}

// copyTree copies what git would: files that are tracked, or would be added.
func copyTree(t *testing.T, to string) {
	t.Helper()
	list := exec.CommandContext(t.Context(), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for path := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		copyFile(t, filepath.Join(root, path), filepath.Join(to, path))
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if errors.Is(err, fs.ErrNotExist) { // deleted, and git does not know yet
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, content, info.Mode().Perm()); err != nil {
		t.Fatal(err)
	}
}
