package shipments_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tienda-dev/tienda/functions/shipments"
	"github.com/tienda-dev/tienda/functions/shipments/shipmentstest"
	"github.com/tienda-dev/tienda/shared/api"
)

// scan is a report of a test: what happened in which second.
type scan struct {
	of shipments.ScanType
	at int
}

func TestStatusFollowsTheReports(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		scans []scan
		want  shipments.Status
	}{
		"None":                   {nil, shipments.Created},
		"PickedUp":               {[]scan{{"picked_up", 1}}, shipments.PickedUp},
		"WholeWay":               {[]scan{{"picked_up", 1}, {"in_transit", 2}, {"out_for_delivery", 3}, {"delivered", 4}}, shipments.Delivered},
		"SkippedToDelivered":     {[]scan{{"delivered", 4}}, shipments.Delivered},
		"LatePickUp":             {[]scan{{"in_transit", 2}, {"picked_up", 1}}, shipments.InTransit},
		"EqualRank":              {[]scan{{"in_transit", 2}, {"in_transit", 5}}, shipments.InTransit},
		"LowerRankLater":         {[]scan{{"out_for_delivery", 2}, {"in_transit", 3}}, shipments.OutForDelivery},
		"Exception":              {[]scan{{"in_transit", 2}, {"exception", 3}}, shipments.Exception},
		"ExceptionBeforeTransit": {[]scan{{"exception", 3}, {"in_transit", 2}}, shipments.Exception},
		"TransitAfterException":  {[]scan{{"in_transit", 2}, {"exception", 3}, {"in_transit", 4}}, shipments.InTransit},
		"LateException":          {[]scan{{"in_transit", 2}, {"in_transit", 4}, {"exception", 3}}, shipments.InTransit},
		"SecondException":        {[]scan{{"exception", 3}, {"out_for_delivery", 4}, {"exception", 5}}, shipments.Exception},
		"ReturnedFromException":  {[]scan{{"exception", 3}, {"returned", 4}, {"in_transit", 5}}, shipments.Returned},
		"LostThenFound":          {[]scan{{"lost", 3}, {"delivered", 4}}, shipments.Delivered},
		"DeliveredBeatsLateLost": {[]scan{{"delivered", 4}, {"lost", 5}}, shipments.Delivered},
		"ReturnedAfterDelivery":  {[]scan{{"delivered", 4}, {"returned", 9}}, shipments.Returned},
		"NothingAfterReturned":   {[]scan{{"returned", 4}, {"delivered", 9}, {"exception", 10}}, shipments.Returned},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := shipped(t, tc.scans).Status; got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

// shipped reports the scans about a new shipment, one after the other.
func shipped(t *testing.T, scans []scan) shipments.Shipment {
	t.Helper()
	s := newShop(t)
	made := s.create(t, s.order(t))
	for i, sc := range scans {
		before := s.get(t, made.ID)
		got, err := s.service.Record(t.Context(), made.ID, eventID(i), sc.of, second(sc.at))
		if err != nil {
			t.Fatal(err)
		}
		after := s.get(t, made.ID)
		if got.Moved != (before.Status != after.Status) || got.Status != after.Status {
			t.Errorf("report %d answers %+v, the status went from %s to %s", i, got, before.Status, after.Status)
		}
	}
	return s.get(t, made.ID)
}

// second is a time shortly after the shipments of these tests were made.
func second(n int) api.Time { return shipmentstest.Time(n) }

func eventID(i int) string { return "scan-" + string(rune('a'+i)) }

func genScans(t *rapid.T) []scan {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) scan {
		return scan{rapid.SampledFrom(shipments.ScanTypes()).Draw(t, "type"), rapid.IntRange(0, 6).Draw(t, "at")}
	}), 0, 9).Draw(t, "scans")
}

func milestones(scans []scan) []shipments.Milestone {
	var latest []shipments.Milestone
	for _, of := range shipments.ScanTypes() {
		last := -1
		for _, s := range scans {
			if s.of == of {
				last = max(last, s.at)
			}
		}
		if last >= 0 {
			latest = append(latest, shipments.Milestone{Type: of, At: second(last)})
		}
	}
	return latest
}

// Whatever the order of the reports, and however often each one arrives, the parcel ends in the same status.
func TestStatusDoesNotDependOnTheOrderOfArrival(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		scans := genScans(rt)
		want := shipments.StatusOf(milestones(scans))
		shuffled := rapid.Permutation(append(slices.Clone(scans), scans...)).Draw(rt, "order")
		s := newShop(t)
		made := s.create(t, s.order(t))
		for _, sc := range shuffled {
			id := "scan-" + string(sc.of) + "-" + time.Duration(sc.at).String()
			if _, err := s.service.Record(t.Context(), made.ID, id, sc.of, second(sc.at)); err != nil {
				rt.Fatal(err)
			}
		}
		if got := s.get(t, made.ID); got.Status != want {
			rt.Fatalf("after %v: got %s, want %s", shuffled, got.Status, want)
		}
	})
}

// The table of transitions has every step that a report can cause and no other.
func TestTransitionsAreWhatReportsCause(t *testing.T) {
	t.Parallel()
	seen := map[shipments.Transition]bool{}
	// All sets of latest reports in three different seconds, and every report on top of them.
	sets := [][]scan{nil}
	for _, of := range shipments.ScanTypes() {
		for _, set := range slices.Clone(sets) {
			for at := range 3 {
				sets = append(sets, append(slices.Clone(set), scan{of, at}))
			}
		}
	}
	for _, set := range sets {
		from := shipments.StatusOf(milestones(set))
		for _, of := range shipments.ScanTypes() {
			for at := range 4 {
				if to := shipments.StatusOf(milestones(append(slices.Clone(set), scan{of, at}))); to != from {
					seen[shipments.Transition{From: from, To: to}] = true
				}
			}
		}
	}
	table := shipments.Transitions()
	for transition := range seen {
		if !slices.Contains(table, transition) {
			t.Errorf("a report leads from %s to %s, which the table does not have", transition.From, transition.To)
		}
	}
	for _, transition := range table {
		if !seen[transition] {
			t.Errorf("the table leads from %s to %s, which no report does", transition.From, transition.To)
		}
	}
}
