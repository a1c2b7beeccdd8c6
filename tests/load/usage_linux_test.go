package load_test

import (
	"os"
	"testing"

	"github.com/tienda-dev/tienda/tests/load"
)

func TestThisProcessIsFound(t *testing.T) {
	t.Parallel()
	if p, ok := load.Processes()[os.Getpid()]; !ok || p.Parent != os.Getppid() {
		t.Errorf("got %+v", p)
	}
}
