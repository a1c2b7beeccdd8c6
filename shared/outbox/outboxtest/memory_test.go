package outboxtest_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/outbox"
	"github.com/tienda-dev/tienda/shared/outbox/outboxtest"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	outboxtest.Run(t, func(*testing.T) outboxtest.Store { return &outboxtest.Memory{} })
}

func TestPublishedIsInOrderOfAppend(t *testing.T) {
	t.Parallel()
	m := &outboxtest.Memory{}
	late, early := outboxtest.Event(t, 2, "order.created", "a"), outboxtest.Event(t, 1, "order.created", "b")
	if err := errors.Join(m.Append(t.Context(), "O#a", late), m.Append(t.Context(), "O#b", early)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]outbox.Event{late, early}, m.Published()); diff != "" {
		t.Errorf("published (-want +got):\n%s", diff)
	}
}
