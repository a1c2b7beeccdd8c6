package otlp_test

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/tienda-dev/tienda/local/otlp"
)

// The example of OTLP's JSON: ids in hex, enumerations as numbers, 64-bit numbers as text or not.
const spanJSON = `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5B8EFFF798038103D269B633813FC60C",
"spanId":"EEE19B7EC3C1B174","parentSpanId":"","name":"GET /v1/products","startTimeUnixNano":"1544712660000000000",
"endTimeUnixNano":1544712661000000001,"kind":2,"newField":1,"attributes":[{"key":"traceId","value":{"stringValue":"mine"}}]}]}]}]}`

func post(t *testing.T, handler http.Handler, path, contentType, encoding string, body []byte) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	if encoding != "" {
		r.Header.Set("Content-Encoding", encoding)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

func packed(t *testing.T, plain []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestSpansInEachEncoding(t *testing.T) {
	t.Parallel()
	traceID, _ := hex.DecodeString("5b8efff798038103d269b633813fc60c")
	spanID, _ := hex.DecodeString("eee19b7ec3c1b174")
	binary, err := proto.Marshal(&coltracepb.ExportTraceServiceRequest{ResourceSpans: []*tracepb.ResourceSpans{{
		ScopeSpans: []*tracepb.ScopeSpans{{Spans: []*tracepb.Span{{
			TraceId: traceID, SpanId: spanID, Name: "GET /v1/products", Kind: tracepb.Span_SPAN_KIND_SERVER,
			StartTimeUnixNano: 1544712660000000000, EndTimeUnixNano: 1544712661000000001,
		}}}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		contentType, encoding string
		body                  []byte
	}{
		"Protobuf":       {"application/x-protobuf", "", binary},
		"ProtobufPacked": {"application/x-protobuf", "gzip", packed(t, binary)},
		"JSON":           {"application/json; charset=utf-8", "", []byte(spanJSON)},
		"JSONPacked":     {"application/json", "gzip", packed(t, []byte(spanJSON))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var taken []otlp.Export
			w := post(t, otlp.Handler(func(e otlp.Export) otlp.Result {
				taken = append(taken, e)
				return otlp.Result{}
			}), "/v1/traces", c.contentType, c.encoding, c.body)
			if w.Code != http.StatusOK || len(taken) != 1 || !strings.HasPrefix(c.contentType, w.Header().Get("Content-Type")) {
				t.Fatalf("got %d %s and %d exports", w.Code, w.Body, len(taken))
			}
			var response coltracepb.ExportTraceServiceResponse
			decode := proto.Unmarshal
			if strings.HasPrefix(c.contentType, "application/json") {
				decode = protojson.Unmarshal
			}
			if err := decode(w.Body.Bytes(), &response); err != nil || response.GetPartialSuccess() != nil {
				t.Errorf("the answer is %v, %v", &response, err)
			}
			span := taken[0].Traces.GetResourceSpans()[0].GetScopeSpans()[0].GetSpans()[0]
			if !bytes.Equal(span.GetTraceId(), traceID) || !bytes.Equal(span.GetSpanId(), spanID) || len(span.GetParentSpanId()) != 0 ||
				span.GetName() != "GET /v1/products" || span.GetKind() != tracepb.Span_SPAN_KIND_SERVER || span.GetEndTimeUnixNano() != 1544712661000000001 {
				t.Errorf("got the span %v", span)
			}
			if !bytes.Equal(taken[0].Body, c.body) {
				t.Error("the body is not what was sent")
			}
		})
	}
}

func TestRejectedPointsAreReported(t *testing.T) {
	t.Parallel()
	handler := otlp.Handler(func(otlp.Export) otlp.Result { return otlp.Result{Rejected: 300, Message: `more than "10" series`} })
	for contentType, body := range map[string]string{"application/x-protobuf": "", "application/json": "{}"} {
		w := post(t, handler, "/v1/traces", contentType, "", []byte(body))
		decode := proto.Unmarshal
		if contentType == "application/json" {
			decode = protojson.Unmarshal
		}
		var response coltracepb.ExportTraceServiceResponse
		err := decode(w.Body.Bytes(), &response)
		partial := response.GetPartialSuccess()
		if err != nil || partial.GetRejectedSpans() != 300 || partial.GetErrorMessage() != `more than "10" series` {
			t.Errorf("%s: got %v, %v", contentType, partial, err)
		}
	}
	if w := post(t, handler, "/v1/metrics", "application/json", "", []byte("{}")); !strings.Contains(w.Body.String(), `"rejectedDataPoints":"300"`) {
		t.Errorf("metrics: got %s", w.Body)
	}
	if w := post(t, handler, "/v1/logs", "application/json", "", []byte("{}")); !strings.Contains(w.Body.String(), `"rejectedLogRecords":"300"`) {
		t.Errorf("logs: got %s", w.Body)
	}
}

func TestWhatIsNotAnExportIsRefused(t *testing.T) {
	t.Parallel()
	handler := otlp.Handler(func(otlp.Export) otlp.Result {
		t.Error("it was taken")
		return otlp.Result{}
	})
	bomb := packed(t, make([]byte, otlp.MaxBodyBytes+1))
	for name, c := range map[string]struct {
		path, contentType, encoding string
		body                        []byte
		status                      int
		reason                      string
	}{
		"NotProtobuf":     {"/v1/metrics", "application/x-protobuf", "", []byte("{}"), 400, "decode"},
		"NotJSON":         {"/v1/metrics", "application/json", "", []byte("{"), 400, "decode"},
		"IDNotHex":        {"/v1/traces", "application/json", "", []byte(strings.Replace(spanJSON, "EEE1", "ÄÄ", 1)), 400, "spanId: want hex"},
		"NotPacked":       {"/v1/logs", "application/json", "gzip", []byte("{}"), 400, "not gzip"},
		"PackedCutOff":    {"/v1/logs", "application/json", "gzip", packed(t, []byte("{}"))[:12], 400, "not gzip"},
		"UnknownEncoding": {"/v1/logs", "application/json", "zstd", []byte("{}"), 415, "Content-Encoding: want gzip"},
		"UnknownType":     {"/v1/logs", "text/plain", "", []byte("{}"), 415, "Content-Type: want application/x-protobuf"},
		"TooLarge":        {"/v1/logs", "application/json", "", make([]byte, otlp.MaxBodyBytes+1), 413, "at most"},
		"TooLargePacked":  {"/v1/logs", "application/json", "gzip", bomb, 413, "at most"},
		"UnknownPath":     {"/v1/profiles", "application/json", "", []byte("{}"), 404, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := post(t, handler, c.path, c.contentType, c.encoding, c.body)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.reason) {
				t.Errorf("got %d %s, want %d and %q", w.Code, w.Body, c.status, c.reason)
			}
		})
	}
}

// FuzzDecode feeds the one reader of what a client sends. It must not panic, and never take what it refuses.
func FuzzDecode(f *testing.F) {
	binary, err := proto.Marshal(&metricspb.MetricsData{ResourceMetrics: []*metricspb.ResourceMetrics{{SchemaUrl: "x"}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(spanJSON), true)
	f.Add(binary, false)
	f.Fuzz(func(t *testing.T, body []byte, isJSON bool) {
		contentType := "application/x-protobuf"
		if isJSON {
			contentType = "application/json"
		}
		for _, signal := range []otlp.Signal{otlp.Traces, otlp.Metrics, otlp.Logs} {
			taken := false
			w := post(t, otlp.Handler(func(otlp.Export) otlp.Result {
				taken = true
				return otlp.Result{}
			}), signal.Path(), contentType, "", body)
			if (w.Code == http.StatusOK) != taken || !taken && w.Code != http.StatusBadRequest {
				t.Errorf("%s: got %d, taken %v", signal, w.Code, taken)
			}
		}
	})
}

func TestForwarderKeepsTheOrderAndTheHeaders(t *testing.T) {
	t.Parallel()
	type request struct{ path, kind, encoding, key, body string }
	got := make(chan request, 10)
	failed := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !failed { // requests come one after the other
			failed = true
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		body, _ := io.ReadAll(r.Body)
		got <- request{r.URL.Path, r.Header.Get("Content-Type"), r.Header.Get("Content-Encoding"), r.Header.Get("Api-Key"), string(body)}
	}))
	t.Cleanup(server.Close)
	f, err := otlp.Forward(server.URL+"/base/", "api-key=a%20b", func(sentence string) { t.Error(sentence) })
	if err != nil {
		t.Fatal(err)
	}
	f.Send(otlp.Export{Signal: otlp.Metrics, Body: []byte("1"), ContentType: "application/json"})
	f.Send(otlp.Export{Signal: otlp.Traces, Body: []byte("2"), ContentType: "application/x-protobuf", ContentEncoding: "gzip"})
	f.Close(t.Context())
	for _, want := range []request{
		{"/base/v1/metrics", "application/json", "", "a b", "1"}, {"/base/v1/traces", "application/x-protobuf", "gzip", "a b", "2"},
	} {
		select {
		case r := <-got:
			if r != want {
				t.Errorf("got %+v, want %+v", r, want)
			}
		default:
			t.Errorf("not sent: %+v", want)
		}
	}
}

func TestLossIsNotedOnce(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	var notes []string
	f, err := otlp.Forward(server.URL, "", func(sentence string) { notes = append(notes, sentence) })
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		f.Send(otlp.Export{Signal: otlp.Logs, ContentType: "application/json"})
	}
	f.Close(t.Context())
	if len(notes) != 1 || !strings.Contains(notes[0], "it answered 404") {
		t.Errorf("got %q", notes)
	}
}
