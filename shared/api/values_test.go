package api_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/problem"
)

// even decodes itself from an object and names its own members.
type even struct {
	N int64 `json:"n"`
}

// UnmarshalJSON implements json.Unmarshaler.
func (e *even) UnmarshalJSON(data []byte) error {
	var in struct {
		N *int64 `json:"n"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	if in.N == nil || *in.N%2 != 0 {
		return problem.Fields(problem.FieldError{Pointer: "/n", Detail: "must be even"})
	}
	e.N = *in.N
	return nil
}

// opaque decodes itself from anything but null and says nothing about why not.
type opaque struct{}

// UnmarshalJSON implements json.Unmarshaler.
func (*opaque) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return errors.New("private cause")
	}
	return nil
}

type values struct {
	At       api.Time                 `json:"at,omitzero"`
	Until    *time.Time               `json:"until"`
	Since    time.Time                `json:"since"`
	Patched  api.PatchField[api.Time] `json:"patched"`
	Address  netip.Addr               `json:"address"`
	Pair     even                     `json:"pair"`
	Pairs    map[string]even          `json:"pairs"`
	Opaque   opaque                   `json:"opaque"`
	Small    int8                     `json:"small"`
	Count    uint64                   `json:"count"`
	Number   json.Number              `json:"number"`
	Ratio    float64                  `json:"ratio"`
	Raw      []byte                   `json:"raw"`
	Anything any                      `json:"anything"`
	Name     string                   `json:"name"`
}

// Validate implements api.Validator.
func (in values) Validate() []problem.FieldError {
	if in.Name == "" {
		return []problem.FieldError{{Pointer: "/name", Detail: "is required"}}
	}
	return nil
}

// A value that cannot be read is 422 with its field, and does not hide what else is wrong: the missing name.
func TestDecodeNamesValuesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	const moment = "must be a time, such as 2026-11-24T20:00:00.000Z (RFC 3339)"
	for body, want := range map[string]problem.FieldError{
		`{"at":"yesterday"}`:                      {Pointer: "/at", Detail: moment},
		`{"at":"2026-02-30T12:00:00Z"}`:           {Pointer: "/at", Detail: moment},
		`{"at":"2026-11-24T12:00:00"}`:            {Pointer: "/at", Detail: moment},
		`{"at":1764000000}`:                       {Pointer: "/at", Detail: moment},
		`{"at":null}`:                             {Pointer: "/at", Detail: moment},
		`{"at":{"a":1,"b":[2]}}`:                  {Pointer: "/at", Detail: moment},
		`{"until":"tomorrow"}`:                    {Pointer: "/until", Detail: moment},
		`{"since":""}`:                            {Pointer: "/since", Detail: moment},
		`{"since":null}`:                          {Pointer: "/since", Detail: moment},
		`{"patched":"2026"}`:                      {Pointer: "/patched", Detail: moment},
		`{"address":"localhost"}`:                 {Pointer: "/address", Detail: "is not a valid value"},
		`{"address":7}`:                           {Pointer: "/address", Detail: "must be a string"},
		`{"pair":{"n":1}}`:                        {Pointer: "/pair/n", Detail: "must be even"},
		`{"pair":{"n":"2"}}`:                      {Pointer: "/pair/n", Detail: "must be an integer"},
		`{"pair":{"n":2,"m":3}}`:                  {Pointer: "/pair/m", Detail: "unknown field"},
		`{"pair":{}}`:                             {Pointer: "/pair/n", Detail: "must be even"},
		`{"pair":7}`:                              {Pointer: "/pair", Detail: "must be an object"},
		`{"pairs":{"a~/":{"n":3}}}`:               {Pointer: "/pairs/a~0~1/n", Detail: "must be even"},
		`{"opaque":null}`:                         {Pointer: "/opaque", Detail: "is not a valid value"},
		`{"small":128}`:                           {Pointer: "/small", Detail: "must be an integer from -128 to 127"},
		`{"small":1.0}`:                           {Pointer: "/small", Detail: "must be an integer"},
		`{"small":1e400}`:                         {Pointer: "/small", Detail: "must be an integer"},
		`{"patched":"9999-12-31T23:59:59-12:00"}`: {Pointer: "/patched", Detail: moment},
		`{"count":-1}`:                            {Pointer: "/count", Detail: "must be an integer from 0 to 9007199254740991"},
		`{"count":18446744073709551615}`:          {Pointer: "/count", Detail: "must be an integer from 0 to 9007199254740991"},
		`{"number":"7"}`:                          {Pointer: "/number", Detail: "must be a number"},
		`{"number":9007199254740993}`:             {Pointer: "/number", Detail: "must be an integer from -9007199254740991 to 9007199254740991"},
		`{"ratio":1e999}`:                         {Pointer: "/ratio", Detail: "must be a number"},
		`{"raw":"%"}`:                             {Pointer: "/raw", Detail: "is not a valid value"},
		`{"raw":[1]}`:                             {Pointer: "/raw", Detail: "must be a string"},
		`{"anything":[{"a":1e400}]}`:              {Pointer: "/anything/0/a", Detail: "must be a number"},
		`{"anything":{"b":[0,36893488147]}}`:      {},
		`{"anything":{"b":[0,-9007199254740993]}}`: {
			Pointer: "/anything/b/1", Detail: "must be an integer from -9007199254740991 to 9007199254740991",
		},
	} {
		t.Run(body, func(t *testing.T) {
			t.Parallel()
			_, err := api.Decode[values](request(http.MethodPost, "application/json", body))
			e, ok := problem.As(err)
			if !ok || e.Code != "validation_failed" {
				t.Fatalf("got %v, want a 422", err)
			}
			fields := []problem.FieldError{want, {Pointer: "/name", Detail: "is required"}}
			if want == (problem.FieldError{}) {
				fields = fields[1:]
			}
			if diff := cmp.Diff(fields, e.Errors); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
			if strings.Contains(e.Detail, "private") {
				t.Errorf("detail %q", e.Detail)
			}
		})
	}
}

// What a rule says about a value that could not be read would mislead.
func TestDecodeNamesAValueOnce(t *testing.T) {
	t.Parallel()
	for body, want := range map[string][]problem.FieldError{
		`{"name":7}`:    {{Pointer: "/name", Detail: "must be a string"}},
		`{"name":null}`: {{Pointer: "/name", Detail: "must be a string"}},
		`{"Name":"n"}`:  {{Pointer: "/Name", Detail: "unknown field"}, {Pointer: "/name", Detail: "is required"}},
	} {
		_, err := api.Decode[values](request(http.MethodPost, "application/json", body))
		e, _ := problem.As(err)
		if e == nil || !cmp.Equal(want, e.Errors) {
			t.Errorf("%s: got %v, want %v", body, err, want)
		}
	}
}

func TestDecodeReadsValuesThatDecodeThemselves(t *testing.T) {
	t.Parallel()
	got, err := api.Decode[values](request(http.MethodPost, "application/json", `{"at":"2026-11-24t21:00:00.35+01:00","until":null,
		"since":"2026-11-24T20:00:00Z","patched":null,"address":"::1","pair":{"n":2},"pairs":{"a":{"n":4}},"opaque":{"x":[1]},
		"small":-128,"count":9007199254740991,"number":1.5,"raw":"AQI=","anything":{"n":1},"name":"n"}`))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, time.November, 24, 20, 0, 0, 0, time.UTC)
	want := values{
		At: api.NewTime(at.Add(350 * time.Millisecond)), Since: at, Patched: api.PatchField[api.Time]{Set: true, Null: true},
		Address: netip.IPv6Loopback(), Pair: even{N: 2}, Pairs: map[string]even{"a": {N: 4}}, Small: -128, Count: 1<<53 - 1,
		Number: "1.5", Raw: []byte{1, 2}, Anything: map[string]any{"n": 1.0}, Name: "n",
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTimeHasMilliseconds(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, time.November, 24, 20, 0, 0, 0, time.UTC)
	for want, moment := range map[string]time.Time{
		`"2026-11-24T20:00:00.000Z"`: at,
		`"2026-11-24T20:00:00.350Z"`: at.Add(350 * time.Millisecond),
		`"2026-11-24T20:00:00.007Z"`: at.Add(7*time.Millisecond + 999*time.Microsecond),
		`"2026-11-24T19:00:00.100Z"`: time.Date(2026, time.November, 24, 20, 0, 0, 1e8, time.FixedZone("", 3600)),
		`"0001-01-01T00:00:00.000Z"`: {},
	} {
		for _, v := range []api.Time{{Time: moment}, api.NewTime(moment)} {
			got, err := json.Marshal(v)
			if err != nil || string(got) != want {
				t.Errorf("%v: got %s, %v; want %s", moment, got, err, want)
			}
		}
		var back api.Time
		if err := json.Unmarshal([]byte(want), &back); err != nil || back != api.NewTime(moment) {
			t.Errorf("%s: got %v, %v", want, back, err)
		}
	}
	if got := api.NewTime(at).Add(time.Millisecond); got != api.NewTime(at.Add(time.Millisecond)) {
		t.Errorf("Add: got %v", got)
	}
	if _, err := json.Marshal(api.NewTime(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC))); err == nil {
		t.Error("a year of five digits is not RFC 3339")
	}
	// In UTC these are the years 10000 and -1: a time that is read can be written.
	for _, edge := range []string{`"9999-12-31T23:59:59-12:00"`, `"0000-01-01T00:00:00+14:00"`} {
		if got := new(api.Time); json.Unmarshal([]byte(edge), got) == nil {
			t.Errorf("%s: got %v, want an error", edge, got)
		}
	}
}

func TestULID(t *testing.T) {
	t.Parallel()
	const id = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
	for text, want := range map[string]string{
		id:                                id,
		strings.ToLower(id):               id,
		"01arz3NDEKTSV4RRFFQ69G5fav":      id,
		"81ARZ3NDEKTSV4RRFFQ69G5FAV":      "", // more than 128 bits
		"O1ARZ3NDEKTSV4RRFFQ69G5FAV":      "",
		id[1:]:                            "",
		id + "A":                          "",
		"01ARZ3NDEKTSV4RRFFQ69G5FA\u017F": "", // ſ, which is S in capitals
		"":                                "",
	} {
		if got, ok := api.ULID(text); got != want || ok != (want != "") {
			t.Errorf("%q: got %q, %t; want %q", text, got, ok, want)
		}
	}
}
