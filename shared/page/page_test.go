package page_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/page"
)

func TestPageJSON(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in   any
		want string
	}{
		"LastPage":    {page.New([]int{1, 2}, ""), `{"data":[1,2],"has_more":false}`},
		"MoreFollows": {page.New([]int{1}, "abc"), `{"data":[1],"has_more":true,"next_cursor":"abc"}`},
		"NoData":      {page.New[string](nil, ""), `{"data":[],"has_more":false}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := json.Marshal(c.in)
			if err != nil || string(got) != c.want {
				t.Errorf("got %s, %v; want %s", got, err, c.want)
			}
		})
	}
}

func TestParseKeys(t *testing.T) {
	t.Parallel()
	const text = "0123456789abcdef0123456789abcdef"
	object := func(kid, status, key string) string {
		return fmt.Sprintf(`{"kid":%q,"status":%q,"key":%q}`, kid, status, key)
	}
	working := object("k1", "active", text)
	one := page.Key{ID: "k1", Status: page.Active, Text: text}

	for name, c := range map[string]struct {
		in   string
		want []page.Key
		err  string
	}{
		"List":             {in: "[" + working + "," + object("k0", "retiring", text) + "]", want: []page.Key{one, {ID: "k0", Status: page.Retiring, Text: text}}},
		"OneObject":        {in: " \n" + working + "\n", want: []page.Key{one}},
		"Empty":            {in: "", err: "not a JSON object"},
		"EmptyList":        {in: "[]", err: "not a JSON object"},
		"NotJSON":          {in: text, err: "not a JSON object"},
		"NoKey":            {in: `{"kid":"k1","status":"active","secret":"` + text + `"}`, err: "shorter than 32"},
		"Note":             {in: "[" + strings.TrimSuffix(working, "}") + `,"note":"of 2026"}]`, want: []page.Key{one}},
		"TrailingData":     {in: "[" + working + "] x", err: "not a JSON object"},
		"TwoObjects":       {in: working + working, err: "not a JSON object"},
		"TwoActive":        {in: "[" + working + "," + object("k2", "active", text) + "]", err: "2 keys are active"},
		"NoneActive":       {in: object("k1", "retiring", text), err: "0 keys are active"},
		"UnknownStatus":    {in: object("k1", "next", text), err: "status of k1"},
		"SameName":         {in: "[" + working + "," + object("k1", "retiring", text) + "]", err: "two keys have the kid k1"},
		"NoName":           {in: object("", "active", text), err: `"kid" of key 1`},
		"NameWithSpace":    {in: object("k 1", "active", text), err: `"kid" of key 1`},
		"NameTooLong":      {in: object(strings.Repeat("k", 33), "active", text), err: `"kid" of key 1`},
		"KeyTooShort":      {in: object("k1", "active", text[1:]), err: "shorter than 32"},
		"KeyIsNotAString":  {in: `{"kid":"k1","status":"active","key":12345678}`, err: "not a JSON object"},
		"ListOfSomethings": {in: `["` + text + `"]`, err: "not a JSON object"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := page.ParseKeys([]byte(c.in))
			if c.err == "" {
				if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
					t.Errorf("%v (-want +got):\n%s", err, diff)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Fatalf("got %v, want %q", err, c.err)
			}
			if strings.Contains(err.Error(), text[1:]) || strings.Contains(err.Error(), "12345678") {
				t.Errorf("the error contains the secret: %v", err)
			}
			if got != nil {
				t.Errorf("keys and an error: %v", got)
			}
		})
	}
}

func TestKeyDoesNotPrintItsSecret(t *testing.T) {
	t.Parallel()
	k := page.Key{ID: "k1", Status: page.Active, Text: oldText}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		for _, v := range []any{k, &k, []page.Key{k}} {
			if got := fmt.Sprintf(verb, v); strings.Contains(got, oldText) {
				t.Errorf("%s prints %s", verb, got)
			}
		}
	}
}

func TestNewSealerRefuses(t *testing.T) {
	t.Parallel()
	keys := []page.Key{{ID: "k1", Status: page.Active, Text: oldText}}
	if _, err := page.NewSealer(keys, nil); err == nil {
		t.Error("no clock: no error")
	}
	if _, err := page.NewSealer(nil, clock(start)); err == nil {
		t.Error("no keys: no error")
	}
}
