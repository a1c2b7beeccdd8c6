package shipmentstest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/shipments"
	"github.com/tienda-dev/tienda/shared/api"
)

// report returns a report that moves a shipment, as the service passes one to a store.
func report(shipmentID, eventID string) shipments.Scan {
	return shipments.Scan{
		EventID: eventID, ShipmentID: shipmentID, Type: shipments.ScanPickedUp, At: Time(2), Moved: true,
		Status: shipments.PickedUp, ReceivedAt: Time(3),
	}
}

// moved returns the next version of a shipment, with a first milestone.
func moved(s shipments.Shipment, by shipments.ScanType, at int) shipments.Shipment {
	s.Status, s.Version, s.UpdatedAt = shipments.Status(by), s.Version+1, api.NewTime(Time(at).Time)
	s.Milestones = []shipments.Milestone{{Type: by, At: Time(at)}}
	return s
}

func testReport(t *testing.T, store Store) {
	made := created(t, store)
	scan, after := report(made.ID, "e:1"), moved(made, shipments.ScanPickedUp, 2)
	e := event(t, "shipment.picked_up", made.OrderID, 2)
	for range 2 { // the second is the same call again
		if err := store.Record(t.Context(), scan, made, &after, &e); err != nil {
			t.Fatalf("Record: %v", err)
		}
	}
	want(t, store, after)
	wantEvents(t, store, made.OrderID, "shipment.created", "shipment.picked_up")

	late := report(made.ID, "e:0")
	late.Moved = false
	if err := store.Record(t.Context(), late, after, nil, nil); err != nil {
		t.Fatalf("Record without a change: %v", err)
	}
	want(t, store, after)
	for _, kept := range []shipments.Scan{scan, late} {
		got, arrived, err := store.Scan(t.Context(), made.ID, kept.EventID)
		if err != nil || !arrived {
			t.Fatalf("Scan %s: %v, %v", kept.EventID, arrived, err)
		}
		if diff := cmp.Diff(kept, got); diff != "" {
			t.Errorf("scan (-want +got):\n%s", diff)
		}
	}
}

func testStale(t *testing.T, store Store) {
	made := created(t, store)
	after := moved(made, shipments.ScanPickedUp, 2)
	e := event(t, "shipment.picked_up", made.OrderID, 2)
	if err := store.Record(t.Context(), report(made.ID, "e1"), made, &after, &e); err != nil {
		t.Fatal(err)
	}
	for name, record := range map[string]func() error{
		"Change":   func() error { return store.Record(t.Context(), report(made.ID, "e2"), made, &after, &e) },
		"NoChange": func() error { return store.Record(t.Context(), report(made.ID, "e2"), made, nil, nil) },
		"Arrived": func() error {
			again := report(made.ID, "e1")
			again.ReceivedAt = Time(9)
			next := moved(after, shipments.ScanInTransit, 9)
			return store.Record(t.Context(), again, after, &next, &e)
		},
	} {
		if err := record(); !errors.Is(err, shipments.ErrChanged) {
			t.Errorf("%s: %v, want %v", name, err, shipments.ErrChanged)
		}
	}
	held := moved(after, shipments.ScanInTransit, 9)
	held.Version++
	if err := store.Record(t.Context(), report(made.ID, "e3"), after, &held, nil); err == nil {
		t.Error("Record leaves out a version")
	}
	want(t, store, after)
	if _, arrived, err := store.Scan(t.Context(), made.ID, "e2"); err != nil || arrived {
		t.Errorf("a refused report is kept: %v, %v", arrived, err)
	}
	wantEvents(t, store, made.OrderID, "shipment.created", "shipment.picked_up")
}

func testReporters(t *testing.T, store Store) {
	const reporters = 8
	made := created(t, store)
	errs := make([]error, reporters)
	var wg sync.WaitGroup
	for i := range reporters {
		after, e := moved(made, shipments.ScanPickedUp, 2), event(t, "shipment.picked_up", made.OrderID, 2)
		wg.Go(func() {
			errs[i] = store.Record(t.Context(), report(made.ID, fmt.Sprintf("e%d", i)), made, &after, &e)
		})
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, shipments.ErrChanged):
			t.Errorf("Record: %v, want %v", err, shipments.ErrChanged)
		}
	}
	if won != 1 {
		t.Errorf("%d of %d reporters have changed the same version, want 1", won, reporters)
	}
	wantEvents(t, store, made.OrderID, "shipment.created", "shipment.picked_up")
}
