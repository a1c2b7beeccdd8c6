package sam_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/local/sam"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	http := sam.Expectation{
		Status:  201,
		Headers: map[string]string{"Location": "/v1/products/<ulid>", "etag": `"1"`},
		Body:    json.RawMessage(`{"id":"<ulid>","at":"<time>","n":3,"list":[1,{"a":null}],"took":"<number>","name":"<text>"}`),
	}
	const body = `{\"id\":\"01JD7Q9W2V5K8N3M6P4R1S0T9X\",\"at\":\"2026-11-24T20:00:00.500Z\",\"n\":3,\"list\":[1,{\"a\":null}],\"took\":0.5,\"name\":\"x\"}`
	good := `{"statusCode":201,"headers":{"location":"/v1/products/01JD7Q9W2V5K8N3M6P4R1S0T9X","ETag":"\"1\"","Other":"x"},"body":"` + body + `"}`
	none := sam.Expectation{Status: 204}
	text := sam.Expectation{Status: 200, Text: []string{"a 1", "b 2"}}
	payload := sam.Expectation{Payload: json.RawMessage(`{"isAuthorized":true,"context":{"auth":"<text>"}}`)}

	for name, tc := range map[string]struct {
		expected sam.Expectation
		answer   string
		want     string // empty is as expected
	}{
		"OK":              {http, good, ""},
		"OtherStatus":     {http, strings.Replace(good, "201", "200", 1), "status 200, want 201"},
		"OtherHeader":     {http, strings.Replace(good, `"\"1\""`, `"\"2\""`, 1), "header etag is"},
		"HeaderAbsent":    {http, strings.Replace(good, `"location"`, `"elsewhere"`, 1), `header Location is ""`},
		"NoULID":          {http, strings.Replace(good, "01JD", "91JD", 1), "header Location"},
		"OtherNumber":     {http, strings.Replace(good, `\"n\":3`, `\"n\":4`, 1), "body.n is 4, want 3"},
		"NumberAsText":    {http, strings.Replace(good, `\"took\":0.5`, `\"took\":\"0.5\"`, 1), "body.took is"},
		"NoTime":          {http, strings.Replace(good, "20:00:00.500Z", "20:00:00", 1), "body.at is"},
		"ShortTime":       {http, strings.Replace(good, "20:00:00.500Z", "20:00:00.5Z", 1), "body.at is"},
		"EmptyText":       {http, strings.Replace(good, `\"x\"}`, `\"\"}`, 1), "body.name is"},
		"MemberMissing":   {http, strings.Replace(good, `\"n\":3,`, "", 1), "body has no member n"},
		"MemberMore":      {http, strings.Replace(good, `\"n\":3`, `\"n\":3,\"m\":1`, 1), "body has the member m"},
		"ListLonger":      {http, strings.Replace(good, `[1,`, `[1,2,`, 1), "body.list is"},
		"InnerValue":      {http, strings.Replace(good, `{\"a\":null}`, `{\"a\":1}`, 1), "body.list[1].a is 1, want null"},
		"ListIsNone":      {http, strings.Replace(good, `[1,{\"a\":null}]`, `{}`, 1), "body.list is"},
		"BodyIsNoJSON":    {http, `{"statusCode":201,"body":"x"}`, "body is not JSON"},
		"Base64":          {http, strings.Replace(good, `{"status`, `{"isBase64Encoded":true,"status`, 1), "base64"},
		"NotHTTP":         {http, `"x"`, "not an HTTP answer"},
		"NoBody":          {none, `{"statusCode":204,"body":""}`, ""},
		"BodyWhereNone":   {none, `{"statusCode":204,"body":"x"}`, "want none"},
		"Text":            {text, `{"statusCode":200,"body":"b 2\na 1\n"}`, ""},
		"TextHasNotAll":   {text, `{"statusCode":200,"body":"a 1\nb 3\n"}`, `the body has no "b 2"`},
		"Payload":         {payload, `{"context":{"auth":"ok"},"isAuthorized":true}`, ""},
		"PayloadDiffers":  {payload, `{"context":{"auth":"ok"},"isAuthorized":false}`, "answer.isAuthorized is false"},
		"PayloadIsNoJSON": {payload, ``, "answer is not JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := tc.expected.Check([]byte(tc.answer))
			if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

func TestReadExpectationRefuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"Neither": `{"headers":{}}`, "Both": `{"status":200,"payload":{}}`, "UnknownMember": `{"status":200,"boby":{}}`, "NoJSON": `x`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.MkdirAll(filepath.Join(dir, "events", "expected"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "events", "expected", "x.json"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := sam.ReadExpectation(dir, "x"); err == nil {
				t.Error("got no error")
			}
		})
	}
}
