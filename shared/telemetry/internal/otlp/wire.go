// Package otlp encodes telemetry as the OpenTelemetry protocol does, in protobuf and in its JSON.
// https://opentelemetry.io/docs/specs/otlp/
//
// The official exporters link gRPC's and protobuf's runtime: 5 MB and 2 ms of every cold start.
package otlp

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// writer writes one message: a field has a number in protobuf and a name in JSON. Zero values are left out, as
// proto3 does.
type writer struct {
	json bool
	buf  []byte
}

const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)

func (w *writer) tag(field, wire int) {
	w.buf = binary.AppendUvarint(w.buf, uint64(field)<<3|uint64(wire))
}

// name begins a member of a JSON object.
func (w *writer) name(name string) {
	if last := w.buf[len(w.buf)-1]; last != '{' {
		w.buf = append(w.buf, ',')
	}
	w.buf = append(append(append(w.buf, '"'), name...), '"', ':')
}

func (w *writer) text(s string) {
	quoted, err := json.Marshal(s)
	if err != nil { // a string always encodes
		quoted = []byte(`""`)
	}
	w.buf = append(w.buf, quoted...)
}

func (w *writer) string(field int, name, v string) {
	if v != "" {
		w.always(field, name, v)
	}
}

// always writes a string that may be empty: the member of a oneof. A receiver refuses the whole request for one
// text that is not UTF-8, and a client may send such a text.
func (w *writer) always(field int, name, v string) {
	v = strings.ToValidUTF8(v, "\uFFFD")
	if w.json {
		w.name(name)
		w.text(v)
		return
	}
	w.tag(field, wireBytes)
	w.buf = binary.AppendUvarint(w.buf, uint64(len(v)))
	w.buf = append(w.buf, v...)
}

// id writes the bytes of a trace's or a span's id, which OTLP's JSON has in hex.
func (w *writer) id(field int, name string, v []byte) {
	if len(v) == 0 {
		return
	}
	if w.json {
		w.name(name)
		w.text(hex.EncodeToString(v))
		return
	}
	w.tag(field, wireBytes)
	w.buf = append(binary.AppendUvarint(w.buf, uint64(len(v))), v...)
}

// fixed64 writes a number that JSON has as a string.
func (w *writer) fixed64(field int, name string, v uint64) {
	if v != 0 {
		w.fixed64Always(field, name, v)
	}
}

func (w *writer) fixed64Always(field int, name string, v uint64) {
	if w.json {
		w.name(name)
		w.buf = append(strconv.AppendUint(append(w.buf, '"'), v, 10), '"')
		return
	}
	w.tag(field, wireFixed64)
	w.buf = binary.LittleEndian.AppendUint64(w.buf, v)
}

// sfixed64 writes a signed number that JSON has as a string.
func (w *writer) sfixed64(field int, name string, v int64) {
	if w.json {
		w.name(name)
		w.buf = append(strconv.AppendInt(append(w.buf, '"'), v, 10), '"')
		return
	}
	w.tag(field, wireFixed64)
	w.buf = binary.LittleEndian.AppendUint64(w.buf, uint64(v))
}

func (w *writer) fixed32(field int, name string, v uint32) {
	if v == 0 {
		return
	}
	if w.json {
		w.name(name)
		w.buf = strconv.AppendUint(w.buf, uint64(v), 10)
		return
	}
	w.tag(field, wireFixed32)
	w.buf = binary.LittleEndian.AppendUint32(w.buf, v)
}

func (w *writer) double(field int, name string, v float64) {
	if w.json {
		w.name(name)
		w.number(v)
		return
	}
	w.tag(field, wireFixed64)
	w.buf = binary.LittleEndian.AppendUint64(w.buf, math.Float64bits(v))
}

func (w *writer) number(v float64) {
	switch {
	case math.IsNaN(v):
		w.text("NaN")
	case math.IsInf(v, 1):
		w.text("Infinity")
	case math.IsInf(v, -1):
		w.text("-Infinity")
	default:
		w.buf = strconv.AppendFloat(w.buf, v, 'g', -1, 64)
	}
}

// enum writes an enumeration or a count of 32 bits, which JSON has as a number.
func (w *writer) enum(field int, name string, v int) {
	if v <= 0 {
		return
	}
	if w.json {
		w.name(name)
		w.buf = strconv.AppendInt(w.buf, int64(v), 10)
		return
	}
	w.tag(field, wireVarint)
	w.buf = binary.AppendUvarint(w.buf, uint64(v))
}

// int64 writes a varint, which JSON has as a string.
func (w *writer) int64(field int, name string, v int64) {
	if w.json {
		w.name(name)
		w.buf = append(strconv.AppendInt(append(w.buf, '"'), v, 10), '"')
		return
	}
	w.tag(field, wireVarint)
	w.buf = binary.AppendUvarint(w.buf, uint64(v))
}

func (w *writer) bool(field int, name string, v bool) {
	if w.json {
		w.name(name)
		w.buf = strconv.AppendBool(w.buf, v)
		return
	}
	w.tag(field, wireVarint)
	if v {
		w.buf = append(w.buf, 1)
		return
	}
	w.buf = append(w.buf, 0)
}

// message writes a message that write fills.
func (w *writer) message(field int, name string, write func()) {
	if w.json {
		w.name(name)
		w.object(write)
		return
	}
	w.nested(field, write)
}

func (w *writer) object(write func()) {
	w.buf = append(w.buf, '{')
	write()
	w.buf = append(w.buf, '}')
}

func (w *writer) nested(field int, write func()) {
	w.tag(field, wireBytes)
	start := len(w.buf)
	write()
	size := len(w.buf) - start
	var prefix [binary.MaxVarintLen64]byte
	n := binary.PutUvarint(prefix[:], uint64(size))
	w.buf = append(w.buf, prefix[:n]...)
	copy(w.buf[start+n:], w.buf[start:start+size])
	copy(w.buf[start:], prefix[:n])
}

// list writes n messages.
func (w *writer) list(field int, name string, n int, write func(i int)) {
	if n == 0 {
		return
	}
	if !w.json {
		for i := range n {
			w.nested(field, func() { write(i) })
		}
		return
	}
	w.name(name)
	w.buf = append(w.buf, '[')
	for i := range n {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		w.object(func() { write(i) })
	}
	w.buf = append(w.buf, ']')
}

// counts writes packed fixed64 numbers, which JSON has as strings.
func (w *writer) counts(field int, name string, v []uint64) {
	w.packed(field, name, len(v), func(i int) uint64 { return v[i] },
		func(i int) { w.buf = append(strconv.AppendUint(append(w.buf, '"'), v[i], 10), '"') })
}

// doubles writes packed doubles.
func (w *writer) doubles(field int, name string, v []float64) {
	w.packed(field, name, len(v), func(i int) uint64 { return math.Float64bits(v[i]) }, func(i int) { w.number(v[i]) })
}

func (w *writer) packed(field int, name string, n int, bits func(i int) uint64, text func(i int)) {
	if n == 0 {
		return
	}
	if !w.json {
		w.tag(field, wireBytes)
		w.buf = binary.AppendUvarint(w.buf, uint64(8*n))
		for i := range n {
			w.buf = binary.LittleEndian.AppendUint64(w.buf, bits(i))
		}
		return
	}
	w.name(name)
	w.buf = append(w.buf, '[')
	for i := range n {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		text(i)
	}
	w.buf = append(w.buf, ']')
}
