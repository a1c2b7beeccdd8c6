//go:build integration

package pump_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/local/localddb"
	"github.com/tienda-dev/tienda/local/pump"
	"github.com/tienda-dev/tienda/local/queues"
	"github.com/tienda-dev/tienda/local/stack"
	"github.com/tienda-dev/tienda/local/template"
)

// TestRealStreams reads the streams of DynamoDB Local: what is written reaches the function in its order, once, also
// when a later pump goes on.
func TestRealStreams(t *testing.T) {
	t.Parallel()
	endpoint := os.Getenv(localddb.EnvEndpoint)
	table := fmt.Sprintf("Pump%d", time.Now().UnixNano())
	tmpl, err := template.Read("template.yaml", []byte(head+fromStream(`            StartingPosition: TRIM_HORIZON
            BatchSize: 3
            FilterCriteria: {Filters: [{Pattern: '{"eventName":["INSERT"],"dynamodb":{"NewImage":{"kind":{"S":["event"]}}}}'}]}
`)), template.Options{Ref: func(kind, _ string) string {
		if strings.HasSuffix(kind, "Table") {
			return table
		}
		return ""
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := localddb.CreateTables(t.Context(), endpoint, "us-east-1", tmpl.Tables); err != nil {
		t.Fatal(err)
	}
	streams, closeStreams, err := stack.StreamsOf(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(closeStreams)
	write := func(key, kind string) {
		t.Helper()
		body := fmt.Sprintf(`{"TableName":%q,"Item":{"PK":{"S":%q},"kind":{"S":%q},"n":{"N":"1.50"}}}`, table, key, kind)
		if _, err := streams.Call(t.Context(), "DynamoDB_20120810.PutItem", []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	server, err := queues.New(queues.Config{Queues: stack.QueuesOf(tmpl)})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var got []string
	start := func(latest bool, positions pump.Positions) *pump.Pump {
		t.Helper()
		p, err := pump.Start(t.Context(), pump.Config{
			Template: tmpl, Queues: server, Streams: streams, FromLatest: latest, Positions: positions,
			Invoke: func(_ context.Context, c pump.Call) (pump.Answer, error) {
				if !bytes.Contains(c.Payload, []byte(`"NewImage"`)) || !json.Valid(c.Payload) {
					t.Errorf("got the event %s", c.Payload)
				}
				_, keys := recordsOf(t, c.Payload)
				mu.Lock()
				defer mu.Unlock()
				got = append(got, keys...)
				return report(), nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Stop)
		return p
	}
	idle := func(p *pump.Pump) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if err := p.Idle(ctx); err != nil {
			t.Fatal(err)
		}
	}

	write("before", "event")
	first := start(true, nil) // another stack wrote it
	want := []string{}
	for i := range 10 {
		key := strconv.Itoa(i)
		write(key, "event")
		write("other"+key, "entity")
		want = append(want, key)
	}
	idle(first)
	first.Stop()
	write("between", "event")
	idle(start(true, first.Positions()))
	if diff := cmp.Diff(append(want, "between"), got); diff != "" {
		t.Error(diff)
	}
}
