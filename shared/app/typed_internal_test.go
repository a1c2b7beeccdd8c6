package app

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// word reads and writes itself. It is not JSON, which shows that encoding/json is not asked.
type word string

var errWord = errors.New("not a word")

func (w *word) UnmarshalJSON(text []byte) error {
	if len(text) == 0 {
		return errWord
	}
	*w = word(text)
	return nil
}

func (w word) MarshalJSON() ([]byte, error) { return []byte(strings.ToUpper(string(w))), nil }

func TestTyped(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	own := typed(func(_ context.Context, in word) (word, error) {
		if in == "fail" {
			return "x", cause
		}
		return in + "!", nil
	})
	for event, want := range map[string]struct {
		answer string
		err    error
	}{"hello": {"HELLO!", nil}, "fail": {"", cause}, "": {"", errWord}} {
		got, err := own.Invoke(t.Context(), []byte(event))
		if string(got) != want.answer || !errors.Is(err, want.err) {
			t.Errorf("%q: got %q, %v; want %q, %v", event, got, err, want.answer, want.err)
		}
	}

	type plain struct{ Name string }
	other := typed(func(_ context.Context, in plain) (plain, error) { return in, nil })
	if got, err := other.Invoke(t.Context(), []byte(`{"name":"a"}`)); strings.TrimSpace(string(got)) != `{"Name":"a"}` || err != nil {
		t.Errorf("got %q, %v; want what encoding/json writes", got, err)
	}
	half := typed(func(_ context.Context, in word) (plain, error) { return plain{string(in)}, nil })
	if got, err := half.Invoke(t.Context(), []byte(`"a"`)); strings.TrimSpace(string(got)) != `{"Name":"\"a\""}` || err != nil {
		t.Errorf("got %q, %v; want what encoding/json writes", got, err)
	}
}

// Invocations run in parallel on Lambda Managed Instances: an answer that is being sent is not written over.
func TestTypedAnswersShareNoBuffer(t *testing.T) {
	t.Parallel()
	h := typed(func(_ context.Context, in string) (map[string]string, error) {
		return map[string]string{"answer": in + " <b>"}, nil
	})
	first, err := h.Invoke(t.Context(), []byte(`"first"`))
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if _, err := h.Invoke(t.Context(), []byte(`"other"`)); err != nil {
			t.Fatal(err)
		}
	}
	if want := `{"answer":"first <b>"}`; string(first) != want {
		t.Errorf("the first answer became %s, want %s", first, want)
	}
}
