package load_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/tests/load"
)

func TestParseStat(t *testing.T) {
	t.Parallel()
	got, err := load.ParseStat([]byte("42 (a (b) c) S 7 42 42 0 -1 4194304 100 200 0 0 150 25 30 5 20 0 9 0 100 1000 50"))
	if err != nil {
		t.Fatal(err)
	}
	want := load.Process{ID: 42, Parent: 7, Name: "a (b) c", CPU: 1750 * time.Millisecond, Waited: 350 * time.Millisecond}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("process (-want +got):\n%s", diff)
	}
	for _, broken := range []string{"", "42", "42 (a) S 7", "x (a) S 7 42 42 0 -1 4194304 100 200 0 0 150 25 30 5"} {
		if p, err := load.ParseStat([]byte(broken)); err == nil {
			t.Errorf("%q: got %+v", broken, p)
		}
	}
}

func TestUsedTellsGroupsApart(t *testing.T) {
	t.Parallel()
	const client, gateway, java, function, helper, stranger = 10, 20, 21, 22, 23, 30
	all := map[int]load.Process{}
	for _, p := range []load.Process{
		{ID: client, Parent: 1, CPU: 1 * time.Second},
		{ID: gateway, Parent: client, CPU: 2 * time.Second, Waited: 4 * time.Second},
		{ID: java, Parent: gateway, Name: "java", CPU: 8 * time.Second},
		{ID: function, Parent: gateway, Name: "bootstrap", CPU: 16 * time.Second},
		{ID: helper, Parent: java, CPU: 32 * time.Second},
		{ID: stranger, Parent: client, CPU: 64 * time.Second},
	} {
		all[p.ID] = p
	}
	got := load.Used(all, client, gateway)
	delete(got, load.Others)
	want := load.Usage{
		load.Client: 1 * time.Second, load.Gateway: 2 * time.Second, load.Database: 40 * time.Second, load.Functions: 20 * time.Second,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("usage (-want +got):\n%s", diff)
	}
	since := got.Since(load.Usage{load.Client: 400 * time.Millisecond, load.Functions: time.Hour})
	if since[load.Client] != 600*time.Millisecond || since[load.Functions] != 0 {
		t.Errorf("since: got %v", since)
	}
}
