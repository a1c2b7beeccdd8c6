package logging_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/tienda-dev/tienda/shared/logging"
)

const (
	canaryPassword = "canary-hunter2"
	canaryJWT      = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlY2FuYXJ5"
	canaryOpaque   = "canaryOpaque123~x"
	canaryPAN      = "4111111111111111"
)

type stringer struct{ s string }

func (s stringer) String() string { return s.s }

type account struct {
	Name     string `json:"name"`
	Password string `json:"password"`
	Nested   *account
	Headers  http.Header
	Raw      []byte
	Card     int64 `json:"n"`
}

type object struct{ fields []zap.Field }

func (o object) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	for _, f := range o.fields {
		f.AddTo(enc)
	}
	return nil
}

// secretFields puts the canaries into every kind of field that zap has.
func secretFields() []zap.Field {
	header := http.Header{
		"Authorization": {"Bearer " + canaryOpaque}, "Cookie": {"sid=" + canaryPassword},
		"X-Api-Key": {canaryPassword}, "Accept": {"*/*"},
	}
	acc := account{
		Name: "Bearer " + canaryOpaque, Password: canaryPassword, Headers: header,
		Raw: []byte("password=" + canaryPassword), Card: 4111111111111111,
	}
	acc.Nested = &account{Password: canaryPassword, Name: canaryJWT, Headers: header}
	text := "Authorization: Bearer " + canaryOpaque
	fields := []zap.Field{
		zap.String("password", canaryPassword),
		zap.String("Refresh-Token", canaryPassword),
		zap.String("userPassword", canaryPassword),
		zap.String("note", "bearer "+canaryOpaque),
		zap.String("note", canaryJWT),
		zap.String("note", "paid with 4111 1111 1111 1111 today"),
		zap.String("note", `body: {"password":"`+canaryPassword+`","n":1}`),
		zap.String("note", "https://x.example/cb?access_token="+canaryPassword+"&state=1"),
		zap.String("note", "postgres://admin:"+canaryPassword+"@db.example/x"),
		zap.String("note", "Basic "+base64.StdEncoding.EncodeToString([]byte("u:"+canaryPassword))),
		zap.String("note", fmt.Sprintf("%v", header)),
		zap.String("note", fmt.Sprintf("%+v", acc)),
		zap.String("note", fmt.Sprintf("%#v", acc.Nested)),
		zap.String("note", "line one\nCookie: sid="+canaryPassword+"; theme=dark\nline three"),
		zap.String("paid_with_4111111111111111", "note"),
		zap.Int("token_"+canaryJWT, 1),
		zap.Stringp("secret", new(canaryPassword)),
		zap.Strings("set-cookie", []string{"sid=" + canaryPassword}),
		zap.Strings("list", []string{"ok", text}),
		zap.ByteString("token", []byte(canaryPassword)),
		zap.ByteString("bytes", []byte(text)),
		zap.ByteStrings("bytes_list", [][]byte{[]byte(text)}),
		zap.Binary("binary", []byte(text)),
		zap.Binary("client_secret", []byte(canaryPassword)),
		zap.Stringer("stringer", stringer{text}),
		zap.Stringers("stringers", []stringer{{text}}),
		zap.Stringer("cookie", stringer{canaryPassword}),
		zap.Error(errors.New(text)),
		zap.NamedError("cause", fmt.Errorf("parse %q: %w", canaryJWT, errors.New(text))),
		zap.Errors("errors", []error{errors.New(text)}),
		zap.Reflect("reflect", acc),
		zap.Any("any", map[string]any{"authorization": []any{"Bearer " + canaryOpaque, canaryPassword}, "n": acc}),
		zap.Any("headers", header),
		zap.Any("raw", json.RawMessage(`{ "pass\u0077ord" : "canary-hunter2", "x": "\u0042earer canaryOpaque123~x" }`)),
		zap.Any("keys", map[string]int{text: 1}),
		zap.Object("object", object{[]zap.Field{zap.String("api_key", canaryPassword), zap.String("v", text)}}),
		zap.Objects("objects", []object{{[]zap.Field{zap.String("pwd", canaryPassword)}}}),
		zap.Dict("dict", zap.String("cvv", canaryPassword), zap.Dict("inner", zap.String("token", canaryPassword))),
		zap.Dict("card", zap.String("holder", canaryPassword), zap.Int("number", 4111111111111111)),
		zap.Inline(object{[]zap.Field{zap.String("secret", canaryPassword)}}),
		zap.Int64("number", 4111111111111111),
		zap.Uint64("number", 4111111111111111),
		zap.Float64("number", 4111111111111111),
		zap.Int64s("numbers", []int64{1, 4111111111111111, 2}),
		zap.Namespace("namespace"),
		zap.String("passphrase", canaryPassword),
	}
	return fields
}

func assertNoCanary(t *testing.T, out []byte) {
	t.Helper()
	for _, canary := range []string{
		canaryPassword, canaryOpaque, canaryJWT, "c2lnbmF0dXJl", canaryPAN, "4111 1111",
		base64.StdEncoding.EncodeToString([]byte(canaryPassword))[:16], "Y2FuYXJ5",
		base64.StdEncoding.EncodeToString([]byte("password="))[:10],
	} {
		if bytes.Contains(out, []byte(canary)) {
			t.Errorf("%q was logged: %s", canary, out)
		}
	}
}

func TestSecretsAreNeverLogged(t *testing.T) {
	t.Parallel()

	for _, format := range []string{logging.FormatJSON, logging.FormatConsole} {
		for i, field := range secretFields() {
			t.Run(fmt.Sprintf("%s/%d_%s", format, i, field.Key), func(t *testing.T) {
				t.Parallel()
				log, out := newLogger(t, logging.Config{Format: format})
				log.Info("x", field)
				log.With(field).Error("x")
				log.WithLazy(field).Info("x")
				ctx, _ := logging.Begin(t.Context(), log, "id", field)
				logging.From(ctx).Info("x")
				logging.From(logging.WithFields(ctx, field)).Info("x")
				logging.From(ctx).With(zap.Int("n", 1)).Info("x")
				assertNoCanary(t, out.Bytes())
				checkLines(t, format, out.Bytes())
			})
		}
		t.Run(format+"/All", func(t *testing.T) {
			t.Parallel()
			log, out := newLogger(t, logging.Config{Format: format})
			log.Info("x", secretFields()...)
			assertNoCanary(t, out.Bytes())
			checkLines(t, format, out.Bytes())
		})
		t.Run(format+"/Message", func(t *testing.T) {
			t.Parallel()
			log, out := newLogger(t, logging.Config{Format: format})
			log.Info("got Bearer " + canaryOpaque)
			log.Info("got " + canaryJWT + ".")
			log.Info("got 4111-1111-1111-1111")
			log.Sugar().Infof("%+v", account{Password: canaryPassword})
			log.Named(canaryJWT).Info("x")
			assertNoCanary(t, out.Bytes())
			checkLines(t, format, out.Bytes())
		})
	}
}

func checkLines(t *testing.T, format string, out []byte) {
	t.Helper()
	for line := range bytes.Lines(out) {
		if format == logging.FormatJSON && !json.Valid(line) {
			t.Errorf("not JSON: %s", line)
		}
	}
}

// Without redaction the canaries appear, so the tests above can fail.
func TestCanariesHavePower(t *testing.T) {
	t.Parallel()

	log, out := newLogger(t, logging.Config{DisableRedaction: true})
	log.Info("x", secretFields()...)
	for _, canary := range []string{canaryPassword, canaryOpaque, canaryJWT, canaryPAN} {
		if !bytes.Contains(out.Bytes(), []byte(canary)) {
			t.Errorf("%q does not appear without redaction", canary)
		}
	}
}

func TestHarmlessTextStays(t *testing.T) {
	t.Parallel()

	for _, text := range []string{
		"verify token: signature is invalid",
		"basic configuration loaded",
		"GET /v1/products/01JDC5Q0M1Z2Q5V8W7X6Y5Z4A3?limit=20&cursor=abc",
		"2026-11-24T11:34:56.007Z",
		"1-67891233-abcdef012345678912345678",
		"550e8400-e29b-41d4-a716-446655440000",
		"4bf92f3577b34da6a3ce929d0e0e4736",
		"a4111111111111111f",
		"0.4111111111111111",
		"epoch 1790000000000 ms",
		"4111111111111112",
		"eyJub3QiOiJhIHRva2VuIn0",
		"arn:aws:lambda:eu-west-1:123456789012:function:get-product",
		"https://example.com:8443/a@b",
		"Mozilla/5.0 (X11; Linux x86_64) Chrome/129.0.0.0",
		"tokens=7 remaining: 3",
		"ZXZlcnl0aGluZyBpcyBmaW5l", // base64 of harmless text
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			log, out := newLogger(t, logging.Config{})
			log.Info("x", zap.String("v", text))
			if got := decode(t, out.Bytes())["v"]; got != text {
				t.Errorf("became %q", got)
			}
		})
	}
}

func TestRedactedText(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct{ in, want string }{
		"Bearer":        {"sent Bearer abc, then", "sent Bearer [REDACTED], then"},
		"Query":         {"/x?token=abc&limit=2", "/x?token=[REDACTED]&limit=2"},
		"Escaped":       {"a \"password\": \"x\\\"y\", b", `a "password": "[REDACTED]", b`},
		"Unicode":       {"ñ token=abc ñ", "ñ token=[REDACTED] ñ"},
		"HeaderLine":    {"Authorization: Basic x y\nnext", "Authorization: [REDACTED]\nnext"},
		"HeaderMap":     {"map[Cookie:[a=b; c=d] X:[1]]", "map[Cookie:[[REDACTED]] X:[1]]"},
		"HeaderEnds":    {"Cookie: a=\"b\"; c\r\nAccept: */*", "Cookie: [REDACTED]\r\nAccept: */*"},
		"JSONHeader":    {`{"Cookie":"a=\"b\"; c","n":1}`, `{"Cookie":"[REDACTED]","n":1}`},
		"JSONHeaders":   {`{"Cookie":["a","b]"],"n":1}`, `{"Cookie":[[REDACTED]],"n":1}`},
		"Escaped2":      {`"{\"Cookie\":\"a=\\\"b\\\"; c\",\"n\":1}"`, `"{\"Cookie\":\"[REDACTED]\",\"n\":1}"`},
		"Amex":          {"378282246310005", "[REDACTED]"},
		"GroupsAndText": {"order 5 4111 1111 1111 1111.", "order 5 [REDACTED]."},
		"URL":           {"amqp://u:p@h/x", "amqp://u:[REDACTED]@h/x"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log, out := newLogger(t, logging.Config{})
			log.Info("x", zap.String("v", tt.in))
			if got := decode(t, out.Bytes())["v"]; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// A credential's header is hidden whole, whatever its scheme, in each form in which headers are logged.
func TestHeadersAreHiddenWhole(t *testing.T) {
	t.Parallel()

	const canary = "canary-hunter2"
	values := map[string]string{
		"Digest":   `Digest username="ada", realm="a, b", nonce="x]y", response="` + canary + `", opaque="` + canary + `"`,
		"Quoted":   `"first"; second="` + canary + `"; third=` + canary,
		"Brackets": `[x] a=b]c}; d={e}; sid=` + canary,
		"Escapes":  `token="a\"b, ` + canary + `", d='e' ` + canary,
		"Scopes":   `sid=a; Path=/; Expires=Wed, 21 Oct 2026 07:28:00 GMT; next=` + canary,
		"SigV4":    `AWS4-HMAC-SHA256 Credential=AKID/x, SignedHeaders=host;x, Signature=` + canary,
	}
	headers := []string{
		"Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "X-Api-Key", "X-Auth-Token", "X-Amz-Security-Token",
		"X-Forwarded-Authorization", "X-Amzn-Remapped-Authorization", "X-Csrf-Token", "cookie", "AUTHORIZATION",
		"cookies", "identitySource", "authorizationToken",
	}
	quote := func(v any) string {
		out, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	forms := map[string]func(name, value string) string{
		"Line":        func(n, v string) string { return n + ": " + v + "\nAccept: */*" },
		"NoSpace":     func(n, v string) string { return n + ":" + v },
		"SpaceBefore": func(n, v string) string { return n + " : " + v },
		"Assigned":    func(n, v string) string { return n + "=" + v },
		"Continued":   func(n, v string) string { return n + ": a,\r\n " + v },
		"Curl":        func(n, v string) string { return "curl -H '" + n + ": " + v + "'" },
		"Sentence":    func(n, v string) string { return "sent " + n + ": " + v },
		"Map":         func(n, v string) string { return fmt.Sprint(http.Header{n: {v}, "Accept": {"*/*"}, "X-Z": {"1"}}) },
		"MapOfTwo":    func(n, v string) string { return fmt.Sprint(http.Header{n: {"first", v}, "X-Z": {"1"}}) },
		"GoSyntax":    func(n, v string) string { return fmt.Sprintf("%#v", http.Header{n: {"first", v}, "X-Z": {"1"}}) },
		"JSON":        func(n, v string) string { return quote(map[string]string{n: v}) },
		"JSONLists":   func(n, v string) string { return quote(http.Header{n: {"first", v}}) },
		"JSONTwice":   func(n, v string) string { return quote(quote(map[string]string{n: v})) },
		"JSONThrice":  func(n, v string) string { return quote(quote(quote(http.Header{n: {v}}))) },
		"JSONOfLine":  func(n, v string) string { return quote(map[string]string{"raw": n + ": " + v}) },
		"QuotedDump":  func(n, v string) string { return fmt.Sprintf("%q", dump(t, n, v)) },
		"Dump":        func(n, v string) string { return dump(t, n, v) },
		"DumpInJSON":  func(n, v string) string { return quote(dump(t, n, v)) },
		"PlusV":       func(n, v string) string { return fmt.Sprintf("%+v", struct{ H http.Header }{http.Header{n: {v}}}) },
		"PythonSyntax": func(n, v string) string {
			return "{'" + n + "': '" + strings.ReplaceAll(strings.ReplaceAll(v, `\`, `\\`), "'", `\'`) + "'}"
		},
	}
	for form, text := range forms {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			for _, name := range headers {
				for scheme, value := range values {
					log, out := newLogger(t, logging.Config{})
					log.Info(text(name, value), zap.String("v", text(name, value)), zap.Error(errors.New(text(name, value))),
						zap.Any("any", []string{text(name, value)}))
					if bytes.Contains(out.Bytes(), []byte(canary)) {
						t.Errorf("%s, %s: %s became %s", name, scheme, text(name, value), out)
					}
				}
			}
		})
	}
}

// dump returns a request with the header as net/http/httputil writes it.
func dump(t *testing.T, name, value string) string {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/products", strings.NewReader("body"))
	r.Header.Set(name, value)
	r.Header.Set("X-Z", "last")
	out, err := httputil.DumpRequest(r, true)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestAbsentSecretsStayVisible(t *testing.T) {
	t.Parallel()

	log, out := newLogger(t, logging.Config{})
	log.Info("x", zap.String("password", ""), zap.Bool("token", true), zap.Any("secret", nil))
	got := decode(t, out.Bytes())
	if got["password"] != "" || got["token"] != true || got["secret"] != nil {
		t.Errorf("got %v", got)
	}
}

func TestRedactKeys(t *testing.T) {
	t.Parallel()

	log, out := newLogger(t, logging.Config{RedactKeys: []string{"tax_id"}})
	log.Info("x", zap.String("Tax-ID", "123"), zap.String("tax", "456"))
	if got := decode(t, out.Bytes()); got["Tax-ID"] != logging.Redacted || got["tax"] != "456" {
		t.Errorf("got %v", got)
	}
}

func FuzzRedaction(f *testing.F) {
	f.Add("password", "x", "Bearer y")
	f.Add(`a"b\`, "\x00\xff", "4111 1111 1111 1111")
	f.Add("k", `{"token":"\"}`, `eyJhbGciOiJIUzI1NiJ9.e.`)
	f.Fuzz(func(t *testing.T, key, value, message string) {
		log, out := newLogger(t, logging.Config{})
		log.Info(message, zap.String(key, value), zap.Any("m", map[string]string{key: value}),
			zap.String("secret", "canary-"+strings.Repeat("z", 8)))
		if !json.Valid(out.Bytes()) || bytes.Count(out.Bytes(), []byte("\n")) != 1 {
			t.Errorf("not one JSON line: %q", out.Bytes())
		}
		if bytes.Contains(out.Bytes(), []byte("canary-zzzzzzzz")) {
			t.Errorf("secret logged: %q", out.Bytes())
		}
	})
}
