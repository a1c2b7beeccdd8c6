//go:build sam

package sam_test

import (
	"context"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/local/queues"
)

// TestWorkersRunInContainers sends an event that no worker can read: advance-orders runs in a container, reads it
// from its queue, and sends it to the dead-letter queue.
func TestWorkersRunInContainers(t *testing.T) {
	t.Parallel()
	const queue, dead = "OrderEventsQueue.fifo", "OrderEventsDeadLetters.fifo"
	_, _, err := shared.data.Queues.Send(queue, queues.Message{Body: "poison", Group: "nobody", Deduplication: "poison"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for { // the samples of other tests may be there too
		got, err := shared.data.Queues.Await(ctx, dead, 1, time.Hour)
		if err != nil {
			t.Fatalf("the message does not arrive: %v", err)
		}
		if got[0].Body == "poison" {
			return
		}
	}
}
