package telemetry

import (
	"context"
	"fmt"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// kept returns the attributes of each record as text.
func kept(r *records) []string {
	items, _ := r.take()
	all := make([]string, len(items))
	for i, record := range items {
		for _, kv := range record.Attributes {
			all[i] += fmt.Sprintf("%s=%s ", kv.Key, kv.Value.String())
		}
	}
	return all
}

func assertKept(t *testing.T, r *records, want ...string) {
	t.Helper()
	if got := kept(r); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A logger without redaction passes values as they are.
func TestValuesThatZapHasNoTypeOf(t *testing.T) {
	t.Parallel()
	r := newRecords(time.Now)
	log := zap.New(r)
	n := 1
	for _, v := range []any{[]string{"a"}, map[string]int{"n": 1}, &n, struct{ N *int }{&n}, time.Second, func() {}} {
		log.Info("", zap.Reflect("f", v))
	}
	assertKept(t, r, `f=["a"] `, `f={"n":1} `, "f=1 ", `f={"N":1} `, "f=1000000000 ", "f=not JSON: func() ")
}

func TestContextsAreNoAttributes(t *testing.T) {
	t.Parallel()
	r := newRecords(time.Now)
	ctx := zap.Reflect("ctx", context.Background())
	zap.New(r).With(ctx).Info("", ctx, zap.Int("n", 1))
	assertKept(t, r, "n=1 ")
}

// Fields of With are those that they were then, and loggers made of one logger do not share them.
func TestFieldsOfWithDoNotChange(t *testing.T) {
	t.Parallel()
	r := newRecords(time.Now)
	text, shared := []byte("before"), map[string]any{"n": 1}
	parent := r.With([]zapcore.Field{zap.Int("a", 1), zap.Binary("b", text), zap.Reflect("c", shared)})
	text[0], shared["n"] = 'X', 2
	cores := []zapcore.Core{parent}
	for i := range 3 { // each time, what append leaves room for would be shared
		parent = parent.With([]zapcore.Field{zap.Int(fmt.Sprintf("d%d", i), i)})
		cores = append(cores, parent.With([]zapcore.Field{zap.String("e", "one")}), parent.With([]zapcore.Field{zap.String("e", "two")}))
	}
	for _, core := range cores {
		if err := core.Write(zapcore.Entry{}, nil); err != nil {
			t.Fatal(err)
		}
	}
	const first = `a=1 b=YmVmb3Jl c={"n":1} `
	want := []string{first}
	for _, d := range []string{"d0=0 ", "d0=0 d1=1 ", "d0=0 d1=1 d2=2 "} {
		want = append(want, first+d+"e=one ", first+d+"e=two ")
	}
	assertKept(t, r, want...)
}

func TestALoggersNameIsItsScope(t *testing.T) {
	t.Parallel()
	r := newRecords(time.Now)
	zap.New(r).Named("shop").Info("")
	items, _ := r.take()
	if len(items) != 1 || items[0].Scope != "shop" {
		t.Errorf("got %+v", items)
	}
}
