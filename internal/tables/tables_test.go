package tables_test

import (
	"context"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/internal/process"
	"github.com/tienda-dev/tienda/internal/tables"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func TestOpenNamesEveryMissingTable(t *testing.T) {
	t.Parallel()
	route := api.Route{Name: "test", Method: http.MethodGet, Path: "/test", Auth: api.Public, Rate: api.Unlimited}
	for name, tc := range map[string]struct {
		environ map[string]string
		missing []string
	}{
		"OK":        {environ: map[string]string{"AUTH_TABLE": "auth", "COMMERCE_TABLE": "commerce"}},
		"OneAbsent": {environ: map[string]string{"AUTH_TABLE": "auth"}, missing: []string{"COMMERCE_TABLE"}},
		"NoTables":  {missing: []string{"AUTH_TABLE", "COMMERCE_TABLE"}},
		"NoRegion":  {environ: map[string]string{"AWS_REGION": ""}, missing: []string{"AUTH_TABLE", "COMMERCE_TABLE"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			environ := map[string]string{"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s"}
			maps.Copy(environ, tc.environ)
			if environ["AWS_REGION"] == "" {
				delete(environ, "AWS_REGION")
				tc.missing = append(tc.missing, "AWS_REGION")
			}
			_, err := process.Handler(t.Context(), route, func(ctx context.Context, s *app.Setup) (api.Handler, error) {
				opened, err := tables.Open(ctx, s, tables.Auth, tables.Commerce)
				if err == nil && (opened.Auth.Name() != "auth" || opened.Commerce.Name() != "commerce") {
					t.Errorf("opened %s and %s", opened.Auth.Name(), opened.Commerce.Name())
				}
				return func(http.ResponseWriter, *http.Request) error { return nil }, err
			}, environ)
			if len(tc.missing) == 0 && err != nil {
				t.Fatal(err)
			}
			for _, variable := range tc.missing {
				if err == nil || !strings.Contains(err.Error(), variable+" is not set") {
					t.Errorf("got %v, want an error that names %s", err, variable)
				}
			}
		})
	}
}
