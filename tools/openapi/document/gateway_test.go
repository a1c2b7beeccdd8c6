//go:build openapi

package document_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/local/gateway"
	"github.com/tienda-dev/tienda/tools/openapi/document"
)

// TestDescriptionNamesTheGatewaysAnswers holds the document's description against the statuses that the local gateway
// answers itself: no operation lists those that every request may get.
func TestDescriptionNamesTheGatewaysAnswers(t *testing.T) {
	t.Parallel()
	spec, err := document.Build(root)
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(filepath.Join(root, "local", "gateway", "gateway.go"))
	if err != nil {
		t.Fatal(err)
	}
	statuses := map[string]string{
		"BadRequest": "400 for", "NotFound": "answers 404", "RequestEntityTooLarge": "413 over " + strconv.Itoa(gateway.MaxBodyBytes>>20) + " MB",
		"RequestHeaderFieldsTooLarge": "431 over " + strconv.Itoa(gateway.MaxHeaderBytes/1000) + "," + strconv.Itoa(gateway.MaxHeaderBytes%1000) + " bytes",
		"TooManyRequests":             "429 over",
	}
	found := regexp.MustCompile(`message\(http\.Status(\w+)`).FindAllStringSubmatch(string(source), -1)
	if len(found) < len(statuses) {
		t.Errorf("the gateway has %d answers of its own, want at least %d", len(found), len(statuses))
	}
	for _, match := range found {
		if want, known := statuses[match[1]]; !known || !strings.Contains(*spec.Info.Description, want) {
			t.Errorf("the description does not name the gateway's %s: want %q in it", match[1], want)
		}
	}
}
