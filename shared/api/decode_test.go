package api_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/problem"
)

type item struct {
	Name  string            `json:"name"`
	Count int64             `json:"count"`
	Price *price            `json:"price"`
	Tags  []string          `json:"tags"`
	Extra map[string]string `json:"extra"`
}

type price struct {
	Amount int64 `json:"amount"`
}

// Validate implements api.Validator.
func (in item) Validate() []problem.FieldError {
	if in.Count < 0 {
		return []problem.FieldError{{Pointer: "/count", Detail: "must not be negative"}}
	}
	return nil
}

func request(method, contentType, body string) *http.Request {
	r := httptest.NewRequest(method, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	return r
}

// parcel is sent to an address, or to the one that has the id.
type parcel struct {
	ID      *string `json:"id"`
	Address *string `json:"address"`
}

func (p parcel) Validate() []problem.FieldError {
	if p.ID == nil && p.Address == nil {
		return []problem.FieldError{{Pointer: "/address", Detail: "is required"}}
	}
	return nil
}

func (parcel) Moot(fault problem.FieldError, unread func(pointer string) bool) bool {
	return fault.Pointer == "/address" && unread("/id")
}

func TestDecodeLeavesOutWhatIsMoot(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{`{}`: "/address", `{"id":7}`: "/id", `{"id":null}`: "/address"} {
		_, err := api.Decode[parcel](request(http.MethodPost, "application/json", body))
		refused, ok := problem.As(err)
		if !ok || len(refused.Errors) != 1 || refused.Errors[0].Pointer != want {
			t.Errorf("%s: got %v, want one fault, of %s", body, err, want)
		}
	}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	const json = "application/json"
	const exact = "must be an integer from -9007199254740991 to 9007199254740991"
	onlyJSON := []problem.FieldError{{Pointer: "Content-Type", Detail: "must be application/json"}}
	deep := strings.Repeat("[", 40) + strings.Repeat("]", 40)

	for name, tc := range map[string]struct {
		method, contentType, body string
		status                    int
		code                      string
		fields                    []problem.FieldError
	}{
		"OK":                {body: `{"name":"a","count":1,"price":{"amount":2},"tags":["x"],"extra":{"K":"v"}}`},
		"CharsetUTF8":       {contentType: "application/json; charset=UTF-8", body: `{}`},
		"MergePatchOnPATCH": {method: http.MethodPatch, contentType: "application/merge-patch+json", body: `{}`},
		"TextOnPATCH": {
			method: http.MethodPatch, contentType: "text/plain", body: `{}`, status: 415, code: "unsupported_media_type",
			fields: []problem.FieldError{{Pointer: "Content-Type", Detail: "must be application/merge-patch+json or application/json"}},
		},
		"MergePatchOnPOST":       {contentType: "application/merge-patch+json", body: `{}`, status: 415, code: "unsupported_media_type", fields: onlyJSON},
		"NoContentType":          {contentType: "-", body: `{}`, status: 415, code: "unsupported_media_type", fields: onlyJSON},
		"OtherCharset":           {contentType: "application/json; charset=latin1", body: `{"name":"é"}`},
		"OtherCharsetOnPATCH":    {method: http.MethodPatch, contentType: "application/merge-patch+json;charset=iso-8859-1", body: `{}`},
		"QuotedCharset":          {contentType: `Application/JSON; charset="UTF-16"; q=1;`, body: `{}`},
		"MalformedParameter":     {contentType: "application/json; charset", body: `{}`, status: 415, code: "unsupported_media_type", fields: onlyJSON},
		"TwoTypes":               {contentType: "application/json, text/plain", body: `{}`, status: 415, code: "unsupported_media_type", fields: onlyJSON},
		"JSONInName":             {contentType: "application/jsonx", body: `{}`, status: 415, code: "unsupported_media_type", fields: onlyJSON},
		"FormBody":               {contentType: "application/x-www-form-urlencoded", body: `a=b`, status: 415, code: "unsupported_media_type", fields: onlyJSON},
		"Empty":                  {body: "", status: 400, code: "malformed_json"},
		"Blank":                  {body: " \n", status: 400, code: "malformed_json"},
		"NotJSON":                {body: `{"name"`, status: 400, code: "malformed_json"},
		"NotUTF8":                {body: "{\"name\":\"\xff\"}", status: 400, code: "malformed_json"},
		"LoneSurrogate":          {body: `{"name":"\ud800"}`, status: 400, code: "malformed_json"},
		"LoneLowSurrogate":       {body: `{"name":"x\udfffx"}`, status: 400, code: "malformed_json"},
		"SurrogatesSwapped":      {body: `{"name":"\udc00\ud800"}`, status: 400, code: "malformed_json"},
		"SurrogateInMemberName":  {body: `{"extra":{"\ud800":"x"}}`, status: 400, code: "malformed_json"},
		"OKSurrogatePair":        {body: `{"name":"\ud83d\uded2 \\ud800"}`},
		"TrailingData":           {body: `{} {}`, status: 400, code: "malformed_json"},
		"TrailingGarbage":        {body: `{}x`, status: 400, code: "malformed_json"},
		"TooDeep":                {body: deep, status: 400, code: "malformed_json"},
		"TooDeepInUnknownMember": {body: `{"what":` + deep + `}`, status: 400, code: "malformed_json"},
		"MemberTwice": {
			body: `{"name":"a","name":"b"}`, status: 400, code: "malformed_json",
			fields: []problem.FieldError{{Pointer: "/name", Detail: "given twice"}},
		},
		"UnknownFields": {
			body: `{"nam/e":1,"price":{"amount":1,"vat":2},"tags":["x"]}`, status: 422, code: "validation_failed",
			fields: []problem.FieldError{{Pointer: "/nam~1e", Detail: "unknown field"}, {Pointer: "/price/vat", Detail: "unknown field"}},
		},
		"OtherLetterCase": {
			body: `{"Name":"a"}`, status: 422, code: "validation_failed",
			fields: []problem.FieldError{{Pointer: "/Name", Detail: "unknown field"}},
		},
		"Null": {
			body: `null`, status: 422, code: "validation_failed",
			fields: []problem.FieldError{{Pointer: "", Detail: "must be an object"}},
		},
		"WrongType": {
			body: `{"price":{"amount":"2"}}`, status: 422, code: "validation_failed",
			fields: []problem.FieldError{{Pointer: "/price/amount", Detail: "must be an integer"}},
		},
		"WrongTypesEverywhere": {
			body: `{"tags":["x",1],"extra":{"a":[]},"price":7,"name":true}`, status: 422, code: "validation_failed",
			fields: []problem.FieldError{
				{Pointer: "/tags/1", Detail: "must be a string"},
				{Pointer: "/extra/a", Detail: "must be a string"},
				{Pointer: "/price", Detail: "must be an object"},
				{Pointer: "/name", Detail: "must be a string"},
			},
		},
		"NullIsNoStringOrNumber": {
			body: `{"name":null,"count":null,"extra":{"a":null},"tags":null,"price":null}`, status: 422, code: "validation_failed",
			fields: []problem.FieldError{
				{Pointer: "/name", Detail: "must be a string"},
				{Pointer: "/count", Detail: "must be an integer"},
				{Pointer: "/extra/a", Detail: "must be a string"},
			},
		},
		"Fraction": {
			body: `{"count":1.5}`, status: 422, code: "validation_failed",
			fields: []problem.FieldError{{Pointer: "/count", Detail: "must be an integer"}},
		},
		"OverflowingInteger": {
			body: `{"count":9223372036854775808}`, status: 422, code: "validation_failed",
			fields: []problem.FieldError{{Pointer: "/count", Detail: exact}},
		},
		"IntegerThatDoublesRound": {
			body: `{"count":9007199254740992,"price":{"amount":-9007199254740992}}`, status: 422, code: "validation_failed",
			fields: []problem.FieldError{{Pointer: "/count", Detail: exact}, {Pointer: "/price/amount", Detail: exact}},
		},
		"OKLargestInteger": {body: `{"count":9007199254740991,"price":{"amount":-9007199254740991}}`},
		"UnknownFieldAndBrokenRule": {
			body: `{"colour":"red","count":-1}`, status: 422, code: "validation_failed",
			fields: []problem.FieldError{{Pointer: "/colour", Detail: "unknown field"}, {Pointer: "/count", Detail: "must not be negative"}},
		},
		"WrongTypeAndBrokenRule": {
			body: `{"tags":["x",7],"Count":1,"count":-1}`, status: 422, code: "validation_failed",
			fields: []problem.FieldError{
				{Pointer: "/tags/1", Detail: "must be a string"},
				{Pointer: "/Count", Detail: "unknown field"},
				{Pointer: "/count", Detail: "must not be negative"},
			},
		},
		"ArrayForObject": {
			body: `[]`, status: 422, code: "validation_failed",
			fields: []problem.FieldError{{Pointer: "", Detail: "must be an object"}},
		},
		"RuleBroken": {
			body: `{"count":-1}`, status: 422, code: "validation_failed",
			fields: []problem.FieldError{{Pointer: "/count", Detail: "must not be negative"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			method, contentType := tc.method, tc.contentType
			if method == "" {
				method = http.MethodPost
			}
			if contentType == "" {
				contentType = json
			}

			_, err := api.Decode[item](request(method, contentType, tc.body))

			if tc.status == 0 {
				if err != nil {
					t.Fatalf("got %v, want no error", err)
				}
				return
			}
			got, ok := problem.As(err)
			if !ok {
				t.Fatalf("got %v, want a problem", err)
			}
			if got.Kind.Status() != tc.status || got.Code != tc.code {
				t.Errorf("got %d %s, want %d %s", got.Kind.Status(), got.Code, tc.status, tc.code)
			}
			if diff := cmp.Diff(tc.fields, got.Errors); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeReadsValues(t *testing.T) {
	t.Parallel()
	got, err := api.Decode[item](request(http.MethodPost, "application/json", `{"name":"a","price":{"amount":7},"extra":{"K":"v"}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := item{Name: "a", Price: &price{Amount: 7}, Extra: map[string]string{"K": "v"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDecodeRefusesCompressedBodies(t *testing.T) {
	t.Parallel()
	for encoding, want := range map[string]bool{"gzip": false, "br": false, "identity": true, "": true} {
		r := request(http.MethodPost, "application/json", `{}`)
		r.Header.Set("Content-Encoding", encoding)
		_, err := api.Decode[item](r)
		if e, _ := problem.As(err); (err == nil) != want || e != nil && e.Kind != problem.UnsupportedMediaType {
			t.Errorf("%q: got %v", encoding, err)
		}
	}
}

func TestDecodeBodyOverTheLimit(t *testing.T) {
	t.Parallel()
	r := request(http.MethodPost, "application/json", `{"name":"`+strings.Repeat("a", 100)+`"}`)
	r.Body = http.MaxBytesReader(httptest.NewRecorder(), io.NopCloser(r.Body), 10)
	_, err := api.Decode[item](r)
	if e, ok := problem.As(err); !ok || e.Kind != problem.TooLarge {
		t.Errorf("got %v, want 413", err)
	}
}

type patch struct {
	Name  api.PatchField[string] `json:"name"`
	Price api.PatchField[price]  `json:"price"`
}

func TestPatchField(t *testing.T) {
	t.Parallel()
	t.Run("AbsentNullAndValue", func(t *testing.T) {
		t.Parallel()
		for body, want := range map[string]api.PatchField[string]{
			`{}`:            {},
			`{"name":null}`: {Set: true, Null: true},
			`{"name":"x"}`:  {Set: true, Value: "x"},
		} {
			got, err := api.Decode[patch](request(http.MethodPatch, api.ContentTypeMergePatch, body))
			if err != nil {
				t.Fatal(err)
			}
			if got.Name != want {
				t.Errorf("%s: got %+v, want %+v", body, got.Name, want)
			}
		}
	})
	t.Run("StrictBelow", func(t *testing.T) {
		t.Parallel()
		for body, pointer := range map[string]string{
			`{"price":{"amont":1}}`:    "/price/amont",
			`{"price":{"amount":"x"}}`: "/price/amount",
			`{"name":5}`:               "/name",
		} {
			_, err := api.Decode[patch](request(http.MethodPatch, api.ContentTypeMergePatch, body))
			e, ok := problem.As(err)
			if !ok || len(e.Errors) != 1 || e.Errors[0].Pointer != pointer {
				t.Errorf("%s: got %v, want a problem at %s", body, err, pointer)
			}
		}
	})
}

type pointerValidated struct {
	Name string `json:"name"`
}

// Validate implements api.Validator on the pointer.
func (*pointerValidated) Validate() []problem.FieldError {
	return []problem.FieldError{{Pointer: "/name", Detail: "never valid"}}
}

func TestDecodeCallsValidateOfPointers(t *testing.T) {
	t.Parallel()
	if _, err := api.Decode[pointerValidated](request(http.MethodPost, "application/json", `{}`)); err == nil {
		t.Error("Validate was not called")
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{}`, `{"name":"a"}`, `[1,{"a":[]}]`, `{"price":{"amount":1}}`, "\xff", `{"a":1}{`, `{"pairs":{"~/":{"n":1}},"at":"x","raw":1,"anything":[9007199254740993]}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		_, plain := api.Decode[item](request(http.MethodPost, "application/json", body))
		_, rich := api.Decode[values](request(http.MethodPost, "application/json", body))
		for _, err := range []error{plain, rich} {
			if err == nil {
				continue
			}
			e, ok := problem.As(err)
			if !ok || e.Kind.Status() >= http.StatusInternalServerError {
				t.Fatalf("%q: got %v, want a client error", body, err)
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	const body = `{"name":"a product with a name","count":12,"price":{"amount":1250},"tags":["one","two"],"extra":{"colour":"red"}}`
	b.ReportAllocs()
	for b.Loop() {
		if _, err := api.Decode[item](request(http.MethodPost, "application/json", body)); err != nil {
			b.Fatal(err)
		}
	}
}
