//go:build sam

package sam_test

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/local/sam"
	"github.com/tienda-dev/tienda/local/template"
)

// protected returns the routes whose authorizer requires a token.
func protected(t *template.Template) []template.Route {
	var routes []template.Route
	for _, f := range t.Functions {
		for _, r := range f.Routes {
			if a, ok := t.API.Authorizer(r.Authorizer); ok && len(a.IdentitySources) > 0 {
				routes = append(routes, r)
			}
		}
	}
	return routes
}

// open returns the keys of the routes that do not answer 401 to a request without a token.
func open(t *testing.T, url string, routes []template.Route) []string {
	t.Helper()
	var keys []string
	for _, r := range routes {
		path := strings.ReplaceAll(r.Path, "{id}", "01ARZ3NDEKTSV4RRFFQ69G5FAV")
		req, err := http.NewRequestWithContext(t.Context(), r.Method, url+path, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusUnauthorized || strings.TrimSpace(string(body)) != `{"message":"Unauthorized"}` {
			keys = append(keys, r.Key())
		}
	}
	return keys
}

func TestProtectedRoutesWantAToken(t *testing.T) {
	t.Parallel()
	routes := protected(shared.cli.Template())
	if len(routes) == 0 {
		t.Fatal("the template has no protected route")
	}
	if got := open(t, shared.api.URL, routes); len(got) > 0 {
		t.Errorf("open without a token: %v", got)
	}
}

// TestAliasedAuthorizerLeavesRoutesOpen shows that the test above can fail: SAM does not find an authorizer
// by its alias, logs one line about it, and leaves the routes open.
func TestAliasedAuthorizerLeavesRoutesOpen(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	const arn, ignored = "!GetAtt AuthorizerFunction.Arn", "IgnoreGlobals: [AutoPublishAlias, AutoPublishAliasAllProperties, DeploymentPreference]"
	text := string(source)
	if strings.Count(text, arn) != 1 || strings.Count(text, ignored) != 1 {
		t.Fatalf("the template does not have %q once and %q once", arn, ignored)
	}
	text = strings.Replace(text, arn, "!Ref AuthorizerFunction.Alias", 1)
	text = strings.Replace(text, ignored, "", 1)
	mutant := filepath.Join(t.TempDir(), "template.yaml")
	if err := os.WriteFile(mutant, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}

	environment, err := shared.data.Environment("")
	if err != nil {
		t.Fatal(err)
	}
	server, err := shared.cli.StartAPI(t.Context(), sam.ServeOptions{Environment: environment, Template: mutant})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)

	routes := protected(shared.cli.Template())
	var want []string
	for _, r := range routes {
		want = append(want, r.Key())
	}
	if diff := cmp.Diff(want, open(t, server.URL, routes)); diff != "" {
		t.Errorf("routes that are open without an authorizer (-want +got):\n%s", diff)
	}
}

// TestAuthorizerHasAContainerOfItsOwn looks at the containers after a request with an authorizer.
func TestAuthorizerHasAContainerOfItsOwn(t *testing.T) {
	t.Parallel()
	minted, err := tokens(time.Now(), "user", "catalog")
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
		shared.api.URL+"/v1/products/01ARZ3NDEKTSV4RRFFQ69G5FAV/inventory", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+minted)
	status := http.StatusServiceUnavailable
	for try := 0; status == http.StatusServiceUnavailable && try < 10; try++ { // a new container may count a request too late
		res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		status = res.StatusCode
	}
	if status != http.StatusNotFound {
		t.Errorf("got %d, want 404 for a product that is not there", status)
	}

	args := append([]string{"inspect", "--format", "{{range .HostConfig.Binds}}{{.}} {{end}}"}, shared.api.Containers()...)
	out, err := exec.Command("docker", args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	mounts := strings.Split(strings.TrimSpace(string(out)), "\n")
	for _, folder := range []string{"authorizer", "get-inventory"} {
		if !slices.ContainsFunc(mounts, func(m string) bool { return strings.Contains(m, "/"+folder+":/var/task:ro") }) {
			t.Errorf("no container has %s: %v", folder, mounts)
		}
	}
}
