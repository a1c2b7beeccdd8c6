package secrets_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/secrets"
)

const (
	variable  = "TOKEN_KEYS_SECRET"
	secretARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:token-keys-AbCdEf"
	canary    = "canary-secret-value"
)

// getter answers with data, or err.
type getter struct {
	data string
	err  error
}

func (g getter) Get(_ context.Context, arn string) ([]byte, error) {
	if arn != secretARN {
		return nil, fmt.Errorf("unexpected ARN %s", arn)
	}
	return []byte(g.data), g.err
}

func text(data []byte) (string, error) { return string(data), nil }

func TestSourceForms(t *testing.T) {
	t.Parallel()

	path := filepath.Join(t.TempDir(), "secret.json")
	if err := os.WriteFile(path, []byte("{\"from\":\"file\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		value, want, printed string
	}{
		"Object": {`{"from":"object"}`, `{"from":"object"}`, "TOKEN_KEYS_SECRET (inline)"},
		"List":   {` ["list"] `, `["list"]`, "TOKEN_KEYS_SECRET (inline)"},
		"File":   {"file:" + path, `{"from":"file"}`, "TOKEN_KEYS_SECRET (file:" + path + ")"},
		"ARN":    {secretARN, "remote", "TOKEN_KEYS_SECRET (" + secretARN + ")"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source, err := secrets.ParseSource(variable, tt.value)
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(source); got != tt.printed {
				t.Errorf("prints as %q, want %q", got, tt.printed)
			}
			secret, err := secrets.Open(t.Context(), source, getter{data: "remote"}, text, secrets.Config{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, secret.Get(t.Context())); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSourceRefused(t *testing.T) {
	t.Parallel()

	for name, value := range map[string]string{
		"Empty":            "",
		"Blank":            "  ",
		"DynamicReference": "{{resolve:secretsmanager:" + canary + "}}",
		"Raw":              canary,
		"RelativeFile":     "file:" + canary,
		"EmptyFile":        "file:",
		"OtherService":     "arn:aws:ssm:eu-west-1:123456789012:parameter/" + canary,
		"NoSecretName":     "arn:aws:secretsmanager:eu-west-1:123456789012:secret:",
		"NoRegion":         "arn:aws:secretsmanager::123456789012:secret:" + canary,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := secrets.ParseSource(variable, value)
			if !errors.Is(err, secrets.ErrSource) || !strings.Contains(err.Error(), variable) {
				t.Errorf("error = %v, want ErrSource that names the variable", err)
			}
			if err != nil && strings.Contains(err.Error(), canary) {
				t.Errorf("error carries the value: %v", err)
			}
		})
	}
}

func TestSourcePrintsNoSecret(t *testing.T) {
	t.Parallel()

	source, err := secrets.ParseSource(variable, `{"key":"`+canary+`"}`)
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if got := fmt.Sprintf(format, source); strings.Contains(got, canary) {
			t.Errorf("%s prints %s", format, got)
		}
	}
}

func TestOpenFails(t *testing.T) {
	t.Parallel()

	big := filepath.Join(t.TempDir(), "big")
	if err := os.WriteFile(big, make([]byte, 65537), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		value  string
		getter secrets.Getter
	}{
		"MissingFile": {"file:/nowhere/at/all", nil},
		"HugeFile":    {"file:" + big, nil},
		"Folder":      {"file:/", nil},
		"NoGetter":    {secretARN, nil},
		"GetterFails": {secretARN, getter{err: errors.New("denied")}},
		"Decode":      {`{"key":"` + canary, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source, err := secrets.ParseSource(variable, tt.value)
			if err != nil {
				t.Fatal(err)
			}
			_, err = secrets.Open(t.Context(), source, tt.getter, secrets.List[struct{ Key string }], secrets.Config{})
			if err == nil || !strings.Contains(err.Error(), variable) || strings.Contains(err.Error(), canary) {
				t.Errorf("error = %v, want one that names %s and shows nothing", err, variable)
			}
		})
	}

	if _, err := secrets.Open(t.Context(), secrets.Source{}, nil, text, secrets.Config{}); !errors.Is(err, secrets.ErrSource) {
		t.Errorf("the zero source gave %v", err)
	}
	if _, err := secrets.Open[string](t.Context(), secrets.Source{}, nil, nil, secrets.Config{}); err == nil {
		t.Error("a nil decode function was accepted")
	}
}

func TestList(t *testing.T) {
	t.Parallel()

	type key struct {
		KID string `json:"kid"`
	}
	for name, tt := range map[string]struct {
		in   string
		want []key
		err  error
	}{
		"List":            {`[{"kid":"a"},{"kid":"b"}]`, []key{{"a"}, {"b"}}, nil},
		"OneObject":       {` {"kid":"a","note":1} `, []key{{"a"}}, nil},
		"EmptyList":       {`[]`, nil, secrets.ErrDecode},
		"Empty":           {``, nil, secrets.ErrDecode},
		"Null":            {`null`, nil, secrets.ErrDecode},
		"NullElement":     {`[null]`, nil, secrets.ErrDecode},
		"NestedList":      {`[[{"kid":"a"}]]`, nil, secrets.ErrDecode},
		"TrailingData":    {`{"kid":"a"}{"kid":"b"}`, nil, secrets.ErrDecode},
		"TrailingInList":  {`[{"kid":"a"}] x`, nil, secrets.ErrDecode},
		"WrongType":       {`{"kid":"` + canary + `","kid":12345678}`, nil, secrets.ErrDecode},
		"WrongTypeInList": {`[{"kid":12345678}]`, nil, secrets.ErrDecode},
		"Truncated":       {`{"kid":"` + canary, nil, secrets.ErrDecode},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := secrets.List[key]([]byte(tt.in))
			if !errors.Is(err, tt.err) {
				t.Fatalf("error = %v, want %v", err, tt.err)
			}
			if err != nil && (strings.Contains(err.Error(), canary) || strings.Contains(err.Error(), "12345678")) {
				t.Errorf("error carries the secret: %v", err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
