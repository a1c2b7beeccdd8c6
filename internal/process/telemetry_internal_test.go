package process

import (
	"testing"

	"github.com/tienda-dev/tienda/shared/authorizer"
)

func TestTheAuthorizersEventHasTheClientsTrace(t *testing.T) {
	t.Parallel()
	var request authorizer.Request
	if err := request.UnmarshalJSON([]byte(`{"headers":{"Traceparent":"t"}}`)); err != nil {
		t.Fatal(err)
	}
	if got := headersOf(request); got["traceparent"] != "t" {
		t.Errorf("got %v", got)
	}
	if got := headersOf("an event without headers"); got != nil {
		t.Errorf("got %v", got)
	}
}
