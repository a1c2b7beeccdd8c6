package peers_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	collogspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	colmetricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

// backend is every service that a peer calls: DynamoDB, and a receiver of OTLP. It records each request as a line. It is
// safe for concurrent use.
type backend struct {
	mu       sync.Mutex
	requests []string
	// items are DynamoDB's, by "table PK SK", in its JSON. hits is what every counter has after an update.
	items map[string]string
	hits  int
}

// ServeHTTP implements http.Handler.
func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	switch target, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "DynamoDB_20120810."); {
	case ok:
		b.dynamoDB(w, target, body)
	default:
		b.record(received(r.URL.Path, body))
		w.Header().Set("Content-Type", "application/x-protobuf") // an empty answer is a full success
	}
}

// dynamoDB answers GetItem and UpdateItem.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
func (b *backend) dynamoDB(w http.ResponseWriter, target string, body []byte) {
	var in struct {
		TableName        string
		Key              map[string]struct{ S string }
		ConsistentRead   bool
		UpdateExpression string
	}
	if err := json.Unmarshal(body, &in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	key := strings.TrimSpace(in.TableName + " " + in.Key["PK"].S + " " + in.Key["SK"].S)
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	switch target {
	case "GetItem":
		line := "GetItem " + key
		if in.ConsistentRead {
			line += " consistent"
		}
		b.record(line)
		if item, ok := b.items[key]; ok {
			_, _ = fmt.Fprintf(w, `{"Item":%s}`, item)
		} else {
			_, _ = fmt.Fprint(w, `{}`)
		}
	case "UpdateItem":
		b.record("UpdateItem " + key[:strings.LastIndex(key, "#")+1] + "<window> " + in.UpdateExpression)
		_, _ = fmt.Fprintf(w, `{"Attributes":{"hits":{"N":"%d"}}}`, b.hits)
	default:
		b.record(target)
		w.WriteHeader(http.StatusBadRequest)
	}
}

// received describes a request to the receiver: its path, and the names of the spans, metrics or log bodies in it.
func received(path string, body []byte) string {
	var names []string
	var err error
	switch path {
	case "/v1/traces":
		var in coltracepb.ExportTraceServiceRequest
		err = proto.Unmarshal(body, &in)
		for _, resource := range in.GetResourceSpans() {
			for _, scope := range resource.GetScopeSpans() {
				for _, span := range scope.GetSpans() {
					names = append(names, span.GetName())
				}
			}
		}
	case "/v1/metrics":
		var in colmetricspb.ExportMetricsServiceRequest
		err = proto.Unmarshal(body, &in)
		for _, resource := range in.GetResourceMetrics() {
			for _, scope := range resource.GetScopeMetrics() {
				for _, metric := range scope.GetMetrics() {
					names = append(names, metric.GetName())
				}
			}
		}
	case "/v1/logs":
		var in collogspb.ExportLogsServiceRequest
		err = proto.Unmarshal(body, &in)
		for _, resource := range in.GetResourceLogs() {
			for _, scope := range resource.GetScopeLogs() {
				for _, record := range scope.GetLogRecords() {
					names = append(names, record.GetBody().GetStringValue())
				}
			}
		}
	}
	if err != nil {
		return path + ": " + err.Error()
	}
	slices.Sort(names)
	return path + ": " + strings.Join(names, ", ")
}

func (b *backend) record(request string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.requests = append(b.requests, request)
}

// seen returns all requests so far.
func (b *backend) seen() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clip(b.requests)
}
