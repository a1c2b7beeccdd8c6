package telemetry_test

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"

	"github.com/tienda-dev/tienda/shared/logging"
)

// text writes a value of OTLP: maps with their names in order, texts in quotes.
func text(v *commonpb.AnyValue) string {
	switch of := v.GetValue().(type) {
	case *commonpb.AnyValue_StringValue:
		return fmt.Sprintf("%q", of.StringValue)
	case *commonpb.AnyValue_BoolValue:
		return strconv.FormatBool(of.BoolValue)
	case *commonpb.AnyValue_IntValue:
		return strconv.FormatInt(of.IntValue, 10)
	case *commonpb.AnyValue_DoubleValue:
		return fmt.Sprintf("%g.", of.DoubleValue)
	case *commonpb.AnyValue_ArrayValue:
		var all []string
		for _, v := range of.ArrayValue.GetValues() {
			all = append(all, text(v))
		}
		return "[" + strings.Join(all, " ") + "]"
	case *commonpb.AnyValue_KvlistValue:
		var all []string
		for _, kv := range of.KvlistValue.GetValues() {
			all = append(all, kv.GetKey()+":"+text(kv.GetValue()))
		}
		slices.Sort(all)
		return "{" + strings.Join(all, " ") + "}"
	default:
		return "nothing"
	}
}

// attributesOf returns the attributes of a record as text, by name.
func attributesOf(r *logspb.LogRecord) map[string]string {
	all := map[string]string{}
	for _, kv := range r.GetAttributes() {
		all[kv.GetKey()] = text(kv.GetValue())
	}
	return all
}

// logged returns the records of what a handler logs.
func logged(t *testing.T, log func(*zap.Logger)) []*logspb.LogRecord {
	t.Helper()
	c := newCollector(t)
	f := newFunction(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL, "OTEL_LOGS_EXPORTER": "otlp", "LOG_LEVEL": "DEBUG"}, func(w http.ResponseWriter, r *http.Request) error {
		log(logging.From(r.Context()))
		return ok(w, r)
	})
	f.get(t, http.MethodGet, "/v1/things/1", nil)
	f.telemetry.Flush(t.Context())
	return c.lines("test")
}

func TestLogRecordsHaveTheFieldsOfTheirLines(t *testing.T) {
	t.Parallel()
	at := time.Unix(1, 5).UTC()
	for name, tc := range map[string]struct {
		field zap.Field
		want  string
	}{
		"Text":     {zap.String("f", "é\""), `"é\""`},
		"Bytes":    {zap.ByteString("f", []byte("x")), `"x"`},
		"Bool":     {zap.Bool("f", true), "true"},
		"Int":      {zap.Int8("f", -5), "-5"},
		"Uint":     {zap.Uint16("f", 5), "5"},
		"Large":    {zap.Uint64("f", math.MaxUint64), "1.8446744073709552e+19."},
		"Float":    {zap.Float32("f", 1.5), "1.5."},
		"Duration": {zap.Duration("f", time.Microsecond), "1000"},
		"Time":     {zap.Time("f", at), "1000000005"},
		"Complex":  {zap.Complex128("f", 1+2i), `"(1+2i)"`},
		"Nothing":  {zap.Any("f", nil), "nothing"},
		"Error":    {zap.NamedError("f", errors.New("broken")), `{message:"broken" type:"*errors.errorString"}`},
		"List":     {zap.Strings("f", []string{"a", "b"}), `["a" "b"]`},
		"Object": {zap.Object("f", zapcore.ObjectMarshalerFunc(func(enc zapcore.ObjectEncoder) error {
			enc.AddInt("n", 1)
			enc.OpenNamespace("in")
			enc.AddBool("b", true)
			return nil
		})), `{in:{b:true} n:1}`},
		"Reflected": {zap.Reflect("f", map[string]any{"a": []any{1, 1.5, "x", nil, uint64(math.MaxUint64)}}), `{a:[1 1.5. "x" nothing 1.8446744073709552e+19.]}`},
		"Stringer":  {zap.Stringer("f", at), `"1970-01-01 00:00:01.000000005 +0000 UTC"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			records := logged(t, func(log *zap.Logger) {
				log.Info("test", tc.field)
				log.With(tc.field).Info("test")
			})
			if len(records) != 2 {
				t.Fatalf("got %d records", len(records))
			}
			for i, record := range records {
				if got := attributesOf(record)["f"]; got != tc.want {
					t.Errorf("line %d: got %s, want %s", i, got, tc.want)
				}
			}
		})
	}
}

func TestLogRecordsAreTheirLines(t *testing.T) {
	t.Parallel()
	var changing int
	value := zap.Object("v", zapcore.ObjectMarshalerFunc(func(enc zapcore.ObjectEncoder) error { enc.AddInt("n", changing); return nil }))
	start := time.Now()
	records := logged(t, func(log *zap.Logger) {
		log.Debug("test debug")
		log.Warn("test warn")
		log.Named("shop").Error("test error")
		with := log.With(zap.String("a", "1"), value, zap.Namespace("in"), zap.String("b", "2"))
		changing = 7
		with.With(zap.String("c", "3")).Info("test with", zap.String("d", "4"))
		with.Info("test again")
	})
	var got []string
	for _, r := range records {
		got = append(got, fmt.Sprint(r.GetSeverityNumber().Number(), r.GetSeverityText(), r.GetBody().GetStringValue()))
		for _, at := range []uint64{r.GetTimeUnixNano(), r.GetObservedTimeUnixNano()} {
			if d := time.Unix(0, int64(at)).Sub(start); d < -time.Second || d > time.Minute {
				t.Errorf("a time is off by %s", d)
			}
		}
	}
	// The logger shop is a scope of its own.
	want := []string{"5debugtest debug", "13warntest warn", "9infotest with", "9infotest again", "17errortest error"}
	if !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	for i, want := range map[int]map[string]string{
		2: {"a": `"1"`, "v": "{n:0}", "in": `{b:"2" c:"3" d:"4"}`},
		3: {"a": `"1"`, "v": "{n:0}", "in": `{b:"2"}`},
	} {
		all := attributesOf(records[i])
		maps.DeleteFunc(all, func(name, _ string) bool { return want[name] == "" })
		if !maps.Equal(all, want) {
			t.Errorf("line %d: got %v, want %v", i, all, want)
		}
	}
}
