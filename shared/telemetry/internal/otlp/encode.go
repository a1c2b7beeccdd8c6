package otlp

import (
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
)

// Encoder encodes what a process exports. Its zero value writes protobuf and leaves everything as it is.
type Encoder struct {
	// JSON writes OTLP's JSON instead of protobuf.
	JSON bool
	// Allow reports whether an attribute of a span may leave the process; nil allows all.
	Allow func(attribute.Key) bool
	// Redact returns the value that an attribute may have outside; nil changes none.
	Redact func(name, value string) string
}

// encode returns the message that write fills.
func (e Encoder) encode(write func(w *writer)) []byte {
	w := &writer{json: e.JSON}
	if e.JSON {
		w.object(func() { write(w) })
	} else {
		write(w)
	}
	return w.buf
}

// envelope writes one resource with its scopes, the frame that all signals share.
func (e Encoder) envelope(name, scopes string, r *resource.Resource, n int, scope func(w *writer, i int)) []byte {
	return e.encode(func(w *writer) {
		w.list(1, name, 1, func(int) {
			w.message(1, "resource", func() {
				attributes := r.Attributes()
				w.list(1, "attributes", len(attributes), func(i int) { e.keyValue(w, attributes[i]) })
			})
			w.list(2, scopes, n, func(i int) { scope(w, i) })
			w.string(3, "schemaUrl", r.SchemaURL())
		})
	})
}

func (e Encoder) scope(w *writer, s instrumentation.Scope) {
	w.message(1, "scope", func() {
		w.string(1, "name", s.Name)
		w.string(2, "version", s.Version)
	})
}

// attributes writes attributes; those of spans only if they are allowed, and their texts cut.
func (e Encoder) attributes(w *writer, field int, attributes []attribute.KeyValue, ofSpan bool) {
	if ofSpan {
		kept := make([]attribute.KeyValue, 0, len(attributes))
		for _, kv := range attributes {
			if e.Allow == nil || e.Allow(kv.Key) {
				kept = append(kept, e.cut(kv))
			}
		}
		attributes = kept
	}
	w.list(field, "attributes", len(attributes), func(i int) { e.keyValue(w, attributes[i]) })
}

// maxText is the length of a text in a span's attribute, in bytes: a client chooses the length of some.
const maxText = 1024

// cut shortens a long text, after it is redacted: half of a secret would not be recognised.
func (e Encoder) cut(kv attribute.KeyValue) attribute.KeyValue {
	if kv.Value.Type() != attribute.STRING || len(kv.Value.AsString()) <= maxText {
		return kv
	}
	text := e.redacted(string(kv.Key), kv.Value.AsString())
	return kv.Key.String(text[:min(len(text), maxText)])
}

func (e Encoder) keyValue(w *writer, kv attribute.KeyValue) {
	w.string(1, "key", string(kv.Key))
	w.message(2, "value", func() { e.value(w, string(kv.Key), kv.Value) })
}

func (e Encoder) redacted(name, value string) string {
	if e.Redact == nil {
		return value
	}
	return e.Redact(name, value)
}

func (e Encoder) value(w *writer, name string, v attribute.Value) {
	array := func(n int, write func(i int)) {
		w.message(5, "arrayValue", func() { w.list(1, "values", n, write) })
	}
	switch v.Type() {
	case attribute.BOOL:
		w.bool(2, "boolValue", v.AsBool())
	case attribute.INT64:
		w.int64(3, "intValue", v.AsInt64())
	case attribute.FLOAT64:
		w.double(4, "doubleValue", v.AsFloat64())
	case attribute.BOOLSLICE:
		values := v.AsBoolSlice()
		array(len(values), func(i int) { w.bool(2, "boolValue", values[i]) })
	case attribute.INT64SLICE:
		values := v.AsInt64Slice()
		array(len(values), func(i int) { w.int64(3, "intValue", values[i]) })
	case attribute.FLOAT64SLICE:
		values := v.AsFloat64Slice()
		array(len(values), func(i int) { w.double(4, "doubleValue", values[i]) })
	case attribute.STRINGSLICE:
		values := v.AsStringSlice()
		array(len(values), func(i int) { w.always(1, "stringValue", e.redacted(name, values[i])) })
	case attribute.SLICE:
		values := v.AsSlice()
		array(len(values), func(i int) { e.value(w, name, values[i]) })
	case attribute.MAP:
		values := v.AsMap()
		w.message(6, "kvlistValue", func() {
			w.list(1, "values", len(values), func(i int) { e.keyValue(w, values[i]) })
		})
	case attribute.BYTESLICE:
		w.always(1, "stringValue", e.redacted(name, string(v.AsByteSlice())))
	case attribute.STRING:
		w.always(1, "stringValue", e.redacted(name, v.AsString()))
	default: // no value: the message stays empty
	}
}

// nanos returns t as OTLP counts it; the zero time is 0.
func nanos(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return uint64(t.UnixNano())
}
