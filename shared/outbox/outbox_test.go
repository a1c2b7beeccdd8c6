package outbox_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/outbox"
)

func now() time.Time { return time.Date(2027, 3, 1, 12, 0, 0, 123_456_789, time.UTC) }

type data struct {
	OrderID string `json:"order_id"`
	Version int64  `json:"version"`
}

func TestNewMakesACloudEvent(t *testing.T) {
	t.Parallel()
	e, err := outbox.New(now(), "order.confirmed", "01ORDER", data{OrderID: "01ORDER", Version: 3})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"specversion": "1.0", "id": e.ID, "source": "/order", "type": "order.confirmed", "subject": "01ORDER",
		"time": "2027-03-01T12:00:00.123Z", "datacontenttype": "application/json",
		"data": map[string]any{"order_id": "01ORDER", "version": 3.0},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}

	var back outbox.Event
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(e, back); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
	var d data
	if err := back.Decode(&d); err != nil || d != (data{OrderID: "01ORDER", Version: 3}) {
		t.Errorf("data = %+v, %v", d, err)
	}
}

// A timeline is read in the order of ids: events of one millisecond are in the order in which they were made.
func TestIDsOfOneMillisecondAreInOrder(t *testing.T) {
	t.Parallel()
	var last string
	for range 1000 {
		e, err := outbox.New(now(), "order.confirmed", "o", data{})
		if err != nil {
			t.Fatal(err)
		}
		if e.ID <= last {
			t.Fatalf("the id %s follows %s", e.ID, last)
		}
		last = e.ID
		if _, err := outbox.New(now().Add(time.Millisecond), "order.confirmed", "o", data{}); err != nil { // of another change
			t.Fatal(err)
		}
	}
}

func TestEveryEventHasItsOwnID(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 100 {
		e, err := outbox.New(now(), "order.created", "01ORDER", data{})
		if err != nil {
			t.Fatal(err)
		}
		if seen[e.ID] {
			t.Fatalf("id %s was given twice", e.ID)
		}
		seen[e.ID] = true
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		typ, subject string
		data         any
		want         string
	}{
		"TypeWithoutDot":  {"order", "01", data{}, "no dot"},
		"EmptySubject":    {"order.created", "", data{}, "subject"},
		"DataIsAnArray":   {"order.created", "01", []int{1}, "not a JSON object"},
		"DataIsNull":      {"order.created", "01", nil, "not a JSON object"},
		"DataUnencodable": {"order.created", "01", map[string]any{"f": func() {}}, "unsupported type"},
		"TooLarge":        {"order.created", "01", map[string]string{"x": strings.Repeat("x", outbox.MaxBytes)}, "at most"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := outbox.New(now(), tt.typ, tt.subject, tt.data); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	t.Parallel()
	valid := map[string]any{
		"specversion": "1.0", "id": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "source": "/order", "type": "order.created",
		"subject": "01ORDER", "time": "2027-03-01T12:00:00Z", "data": map[string]any{},
	}
	for name, change := range map[string]func(m map[string]any){
		"OtherVersion": func(m map[string]any) { m["specversion"] = "0.3" },
		"NoVersion":    func(m map[string]any) { delete(m, "specversion") },
		"NoID":         func(m map[string]any) { delete(m, "id") },
		"BadID":        func(m map[string]any) { m["id"] = "canary" },
		"NoSource":     func(m map[string]any) { delete(m, "source") },
		"NoType":       func(m map[string]any) { delete(m, "type") },
		"NoSubject":    func(m map[string]any) { delete(m, "subject") },
		"NoTime":       func(m map[string]any) { delete(m, "time") },
		"BadTime":      func(m map[string]any) { m["time"] = "yesterday" },
		"NoData":       func(m map[string]any) { delete(m, "data") },
		"DataIsText":   func(m map[string]any) { m["data"] = "canary" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := maps.Clone(valid)
			change(m)
			text, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			var e outbox.Event
			err = json.Unmarshal(text, &e)
			if err == nil {
				t.Fatal("accepted")
			}
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("the error quotes the event: %v", err)
			}
		})
	}
	text, _ := json.Marshal(valid)
	if err := json.Unmarshal(text, new(outbox.Event)); err != nil {
		t.Errorf("the unchanged event: %v", err)
	}
}
