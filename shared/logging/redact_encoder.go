package logging

import (
	"time"

	"go.uber.org/zap/zapcore"
)

// objectEncoder hides secrets on their way into the encoder of a core. It covers every method that
// can carry one; a bool cannot.
type objectEncoder struct {
	zapcore.ObjectEncoder

	r *redactor
}

// hidden adds Redacted instead of the value if the key is a secret's, and reports whether it did.
func (e objectEncoder) hidden(key string) bool {
	if !e.r.sensitive(key) {
		return false
	}
	e.ObjectEncoder.AddString(key, Redacted)
	return true
}

func (e objectEncoder) AddString(key, v string) {
	e.ObjectEncoder.AddString(e.r.value(key), e.r.named(key, v))
}

func (e objectEncoder) AddByteString(key string, v []byte) { e.AddString(key, string(v)) }

func (e objectEncoder) AddBinary(key string, v []byte) {
	switch {
	case e.hidden(key):
	case e.r.hidesIn(v):
		e.ObjectEncoder.AddString(e.r.value(key), Redacted)
	default:
		e.ObjectEncoder.AddBinary(e.r.value(key), v)
	}
}

func (e objectEncoder) AddObject(key string, v zapcore.ObjectMarshaler) error {
	if e.hidden(key) {
		return nil
	}
	return e.ObjectEncoder.AddObject(e.r.value(key), e.r.object(v))
}

func (e objectEncoder) AddArray(key string, v zapcore.ArrayMarshaler) error {
	if e.hidden(key) {
		return nil
	}
	return e.ObjectEncoder.AddArray(e.r.value(key), e.r.array(v))
}

func (e objectEncoder) AddReflected(key string, v any) error {
	if v != nil && e.hidden(key) {
		return nil
	}
	clean, err := e.r.reflected(v)
	if err != nil {
		return err
	}
	return e.ObjectEncoder.AddReflected(e.r.value(key), clean)
}

func (e objectEncoder) AddInt64(key string, v int64) {
	switch {
	case e.hidden(key):
	case isPAN(v):
		e.ObjectEncoder.AddString(e.r.value(key), Redacted)
	default:
		e.ObjectEncoder.AddInt64(e.r.value(key), v)
	}
}

func (e objectEncoder) AddUint64(key string, v uint64) {
	switch {
	case e.hidden(key):
	case isPAN(v):
		e.ObjectEncoder.AddString(e.r.value(key), Redacted)
	default:
		e.ObjectEncoder.AddUint64(e.r.value(key), v)
	}
}

func (e objectEncoder) AddFloat64(key string, v float64) {
	switch {
	case e.hidden(key):
	case isPAN(v):
		e.ObjectEncoder.AddString(e.r.value(key), Redacted)
	default:
		e.ObjectEncoder.AddFloat64(e.r.value(key), v)
	}
}

func (e objectEncoder) AddFloat32(key string, v float32) {
	if !e.hidden(key) {
		e.ObjectEncoder.AddFloat32(e.r.value(key), v)
	}
}

func (e objectEncoder) AddComplex128(key string, v complex128) {
	if !e.hidden(key) {
		e.ObjectEncoder.AddComplex128(e.r.value(key), v)
	}
}

func (e objectEncoder) AddComplex64(key string, v complex64) {
	if !e.hidden(key) {
		e.ObjectEncoder.AddComplex64(e.r.value(key), v)
	}
}

func (e objectEncoder) AddDuration(key string, v time.Duration) {
	if !e.hidden(key) {
		e.ObjectEncoder.AddDuration(e.r.value(key), v)
	}
}

func (e objectEncoder) AddTime(key string, v time.Time) {
	if !e.hidden(key) {
		e.ObjectEncoder.AddTime(e.r.value(key), v)
	}
}

func (e objectEncoder) AddInt(key string, v int)         { e.AddInt64(key, int64(v)) }
func (e objectEncoder) AddInt32(key string, v int32)     { e.AddInt64(key, int64(v)) }
func (e objectEncoder) AddInt16(key string, v int16)     { e.AddInt64(key, int64(v)) }
func (e objectEncoder) AddInt8(key string, v int8)       { e.AddInt64(key, int64(v)) }
func (e objectEncoder) AddUint(key string, v uint)       { e.AddUint64(key, uint64(v)) }
func (e objectEncoder) AddUint32(key string, v uint32)   { e.AddUint64(key, uint64(v)) }
func (e objectEncoder) AddUint16(key string, v uint16)   { e.AddUint64(key, uint64(v)) }
func (e objectEncoder) AddUint8(key string, v uint8)     { e.AddUint64(key, uint64(v)) }
func (e objectEncoder) AddUintptr(key string, v uintptr) { e.AddUint64(key, uint64(v)) }

// arrayEncoder is objectEncoder for the elements of an array.
type arrayEncoder struct {
	zapcore.ArrayEncoder

	r *redactor
}

func (e arrayEncoder) AppendString(v string)     { e.ArrayEncoder.AppendString(e.r.value(v)) }
func (e arrayEncoder) AppendByteString(v []byte) { e.AppendString(string(v)) }

func (e arrayEncoder) AppendObject(v zapcore.ObjectMarshaler) error {
	return e.ArrayEncoder.AppendObject(e.r.object(v))
}

func (e arrayEncoder) AppendArray(v zapcore.ArrayMarshaler) error {
	return e.ArrayEncoder.AppendArray(e.r.array(v))
}

func (e arrayEncoder) AppendReflected(v any) error {
	clean, err := e.r.reflected(v)
	if err != nil {
		return err
	}
	return e.ArrayEncoder.AppendReflected(clean)
}

func (e arrayEncoder) AppendInt64(v int64) {
	if isPAN(v) {
		e.ArrayEncoder.AppendString(Redacted)
		return
	}
	e.ArrayEncoder.AppendInt64(v)
}

func (e arrayEncoder) AppendUint64(v uint64) {
	if isPAN(v) {
		e.ArrayEncoder.AppendString(Redacted)
		return
	}
	e.ArrayEncoder.AppendUint64(v)
}

func (e arrayEncoder) AppendFloat64(v float64) {
	if isPAN(v) {
		e.ArrayEncoder.AppendString(Redacted)
		return
	}
	e.ArrayEncoder.AppendFloat64(v)
}

func (e arrayEncoder) AppendInt(v int)         { e.AppendInt64(int64(v)) }
func (e arrayEncoder) AppendUint(v uint)       { e.AppendUint64(uint64(v)) }
func (e arrayEncoder) AppendUintptr(v uintptr) { e.AppendUint64(uint64(v)) }

// object returns v as a core may encode it.
func (r *redactor) object(v zapcore.ObjectMarshaler) zapcore.ObjectMarshaler {
	return zapcore.ObjectMarshalerFunc(func(enc zapcore.ObjectEncoder) error {
		return v.MarshalLogObject(objectEncoder{enc, r})
	})
}

// array returns v as a core may encode it.
func (r *redactor) array(v zapcore.ArrayMarshaler) zapcore.ArrayMarshaler {
	return zapcore.ArrayMarshalerFunc(func(enc zapcore.ArrayEncoder) error {
		return v.MarshalLogArray(arrayEncoder{enc, r})
	})
}
