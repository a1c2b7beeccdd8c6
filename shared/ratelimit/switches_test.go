package ratelimit_test

import (
	"testing"

	"github.com/tienda-dev/tienda/shared/ratelimit"
)

func TestSwitches(t *testing.T) {
	t.Parallel()
	other := perMinute
	other.Name = "other"
	both := []ratelimit.Policy{perMinute, other}
	got := ratelimit.Switches{Off: []string{"other"}, Shadow: []string{"per-minute"}}.Apply(both)
	if len(got) != 1 || got[0].Name != "per-minute" || !got[0].Shadow || both[0].Shadow {
		t.Errorf("%+v", got)
	}
	if got := (ratelimit.Switches{Off: []string{"all"}}).Apply(both); len(got) != 0 {
		t.Errorf("all is off, and there is %+v", got)
	}
	if got := (ratelimit.Switches{Shadow: []string{"all"}}).Apply(both); !got[0].Shadow || !got[1].Shadow {
		t.Errorf("%+v", got)
	}
	off := ratelimit.Disabled()
	d, err := off.Take(t.Context(), alice, 1)
	if err != nil || !d.Allowed || d.Source != ratelimit.Off || d.Took() {
		t.Errorf("%+v, %v", d, err)
	}
}
