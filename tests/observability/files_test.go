//go:build observability

package observability_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/local/observe"
)

// The files that the collector writes.
const (
	tracesFile = "traces.jsonl"
	logsFile   = "logs.jsonl"
)

// span and line are what the tests look at of OTLP's JSON.
type span struct {
	TraceID, SpanID, ParentSpanID, Name string
	Kind                                int
	Attributes                          attributes
	Links                               []struct{ SpanID string }
}

type line struct {
	TimeUnixNano, TraceID, SpanID string
	Body                          struct{ StringValue string }
	Attributes                    attributes

	function string // from the resource
}

type export struct {
	ResourceSpans []struct {
		ScopeSpans []struct{ Spans []span }
	}
	ResourceLogs []struct {
		Resource  struct{ Attributes attributes }
		ScopeLogs []struct{ LogRecords []line }
	}
}

type attributes []struct {
	Key   string
	Value struct{ StringValue string }
}

func (a attributes) text(key string) string {
	for _, attribute := range a {
		if attribute.Key == key {
			return attribute.Value.StringValue
		}
	}
	return ""
}

// spansIn returns the spans that the collector has written, and linesIn the log lines.
func spansIn(t *testing.T, r *observe.Running) (all []span) {
	t.Helper()
	for _, e := range exportsIn(t, r, tracesFile) {
		for _, resource := range e.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				all = append(all, scope.Spans...)
			}
		}
	}
	return all
}

func linesIn(t *testing.T, r *observe.Running) (all []line) {
	t.Helper()
	for _, e := range exportsIn(t, r, logsFile) {
		for _, resource := range e.ResourceLogs {
			for _, scope := range resource.ScopeLogs {
				for _, l := range scope.LogRecords {
					l.function = resource.Resource.Attributes.text("faas.name")
					all = append(all, l)
				}
			}
		}
	}
	return all
}

func exportsIn(t *testing.T, r *observe.Running, name string) (all []export) {
	t.Helper()
	for text := range strings.Lines(file(t, r, name)) {
		if !strings.HasSuffix(text, "\n") {
			break // it is being written
		}
		var e export
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all = append(all, e)
	}
	return all
}

// signal is what the collector writes to a file, one record for each invocation.
type signal struct {
	file string
	// records returns the invocation of each record, and what tells it apart from the others.
	records func(*testing.T, *observe.Running) []record
}

type record struct{ invocation, id string }

var signals = []signal{{tracesFile, serverSpans}, {logsFile, accessLines}}

func serverSpans(t *testing.T, r *observe.Running) (found []record) {
	t.Helper()
	for _, s := range spansIn(t, r) {
		const server = 2
		if s.Kind == server {
			found = append(found, record{s.Attributes.text("faas.invocation_id"), s.SpanID})
		}
	}
	return found
}

func accessLines(t *testing.T, r *observe.Running) (found []record) {
	t.Helper()
	for _, l := range linesIn(t, r) {
		if l.Body.StringValue == "request" {
			found = append(found, record{l.Attributes.text("function_request_id"), l.SpanID + l.TimeUnixNano})
		}
	}
	return found
}

// complete compares the records with the invocations of a fleet. Of each instance's last invocations, some may be
// missing; none may be there twice. The same record may come again only after an export without an answer, which
// is repeated: docs/observability.md says so.
func (s signal) complete(t *testing.T, r *observe.Running, count, each, missing int, repeated bool) error {
	t.Helper()
	byInvocation, ids := map[string]int{}, map[string]bool{}
	for _, record := range s.records(t, r) {
		if !repeated || !ids[record.id] {
			byInvocation[record.invocation]++
		}
		ids[record.id] = true
	}
	total := 0
	for i := range count {
		for n := range each {
			id := fmt.Sprintf("%08x-0000-4000-8000-%012x", i, n)
			got := byInvocation[id]
			if total += got; got > 1 || got == 0 && n < each-missing {
				return fmt.Errorf("%s has %d records of invocation %d of instance %d (%d invocations in all)", s.file, got, n, i, len(byInvocation))
			}
			delete(byInvocation, id)
		}
	}
	if len(byInvocation) > 0 || len(ids) != total {
		return fmt.Errorf("%s has %d records with %d ids, and others: %v", s.file, total, len(ids), byInvocation)
	}
	return nil
}
