//go:build openapi

package document_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/internal/openapi"
	"github.com/tienda-dev/tienda/shared/page"
	"github.com/tienda-dev/tienda/shared/problem"
	"github.com/tienda-dev/tienda/tools/openapi/document"
)

// TestTextsAreForClients finds names of Go in descriptions, which come from the comments of the code, and examples with
// the marks that events/expected has for what differs in each answer.
func TestTextsAreForClients(t *testing.T) {
	t.Parallel()
	spec, err := document.Build(root)
	if err != nil {
		t.Fatal(err)
	}
	text, err := openapi.JSON(spec)
	if err != nil {
		t.Fatal(err)
	}
	var all any
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	goName := regexp.MustCompile(`\b(\w*[a-z]\.[A-Z]\w+|[A-Za-z]*[a-z][A-Z]\w*)`)
	mark := regexp.MustCompile(`^<(number|text|id|ulid|time)>$`)
	descriptions := 0
	eachText(all, "", func(member, text string) {
		if mark.MatchString(text) {
			t.Errorf("the member %s of an example is %s: give it a value in internal/openapi/examples.go", member, text)
		}
		if member != "description" {
			return
		}
		descriptions++
		for _, name := range goName.FindAllString(text, -1) {
			if name != "OpenAPI" && name != "OpenMetrics" {
				t.Errorf("%q is a name of Go, in %q", name, text)
			}
		}
	})
	if descriptions < 200 {
		t.Errorf("only %d descriptions", descriptions)
	}
}

// eachText calls f for each text below v and the member that has it.
func eachText(v any, member string, f func(member, text string)) {
	switch v := v.(type) {
	case string:
		f(member, v)
	case []any:
		for _, entry := range v {
			eachText(entry, member, f)
		}
	case map[string]any:
		for name, value := range v {
			eachText(value, name, f)
		}
	}
}

func TestGuideHasTheLimitsOfTheCode(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "docs", "api.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		fmt.Sprintf("`limit` is 1 to %d, %d by default", page.MaxLimit, page.DefaultLimit),
		fmt.Sprintf("`errors` has up to %d parts", problem.MaxFields),
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("docs/api.md does not say %q", want)
		}
	}
}
