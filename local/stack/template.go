package stack

import (
	"path/filepath"

	"github.com/tienda-dev/tienda/local/template"
	"github.com/tienda-dev/tienda/local/token"
)

// ReadTemplate reads the template for this machine: tables are named by their logical ids, secrets are
// files in the cache, and Stage is local if the template has that parameter.
func ReadTemplate(opts Options) (*template.Template, error) {
	root, err := filepath.Abs(opts.Root)
	if err != nil {
		return nil, err
	}
	path := opts.Template
	if path == "" {
		path = filepath.Join(root, "template.yaml")
	}
	return template.ReadFile(path, template.Options{
		Parameters: opts.Parameters,
		Defaults:   map[string]string{"Stage": "local"},
		Ref: func(resourceType, logicalID string) string {
			if resourceType == "AWS::SecretsManager::Secret" {
				return "file:" + token.Path(filepath.Join(root, ".cache"), logicalID)
			}
			return ""
		},
	})
}
