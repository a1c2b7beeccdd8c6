package contract_test

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/tests/contract"
)

func TestTimesInAnswersHaveMilliseconds(t *testing.T) {
	t.Parallel()
	files := 0
	for _, folder := range []string{"authorizer", "functions", "internal", "shared"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			files++
			report(t, contract.Times(path, []byte(read(t, strings.TrimPrefix(filepath.ToSlash(path), root+"/")))))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if files == 0 {
		t.Fatal("no files")
	}
}

func TestTimesFindsPlantedFaults(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		field string
		want  []string
	}{
		"APITime":    {"At api.Time `json:\"at\"`", nil},
		"NotJSON":    {"At time.Time `dynamodbav:\"at\"`", nil},
		"Duration":   {"For time.Duration `json:\"for\"`", nil},
		"Plain":      {"At time.Time `json:\"at\"`", []string{"planted.go:5:2"}},
		"Pointer":    {"At *time.Time `json:\"at,omitempty\"`", []string{"planted.go:5:2"}},
		"Patch":      {"At api.PatchField[time.Time] `json:\"at\"`", []string{"planted.go:5:2"}},
		"InAnObject": {"In struct {\n\t\tAt []time.Time `json:\"at\"`\n\t} `dynamodbav:\"in\"`", []string{"planted.go:6:3"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := "package planted\n\n// T is planted.\ntype T struct {\n\t" + tc.field + "\n}\n"
			contract.Expect(t, contract.Times("planted.go", []byte(source)), tc.want...)
		})
	}
}
