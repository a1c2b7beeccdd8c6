package runtime_test

import "testing"

// An idle function exits when its Runtime API vanishes; a busy one is killed by the kernel.
func TestNoBusyOrphanWhenTheParentIsKilled(t *testing.T) {
	t.Parallel()
	pid, kill := startParent(t, true)
	kill()
	wantGone(t, pid)
}
