package pump_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/local/pump"
	"github.com/tienda-dev/tienda/local/queues"
)

// engine is a stream with one shard after the other.
type engine struct {
	mu     sync.Mutex
	shards [][]string // the keys of the records
	closed int        // how many of the shards have ended
	broken int        // how many reads fail
	onRead func()     // is called after each read that succeeds
}

// Call implements pump.StreamCaller.
func (e *engine) Call(_ context.Context, target string, body []byte) ([]byte, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var in struct {
		ShardID                                          string `json:"ShardId"`
		ShardIteratorType, SequenceNumber, ShardIterator string
		Limit                                            int
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	var out any
	switch operation := target[strings.IndexByte(target, '.')+1:]; operation {
	case "ListStreams":
		out = map[string]any{"Streams": []map[string]string{{"StreamArn": "old", "StreamLabel": "1"}, {"StreamArn": "new", "StreamLabel": "2"}}}
	case "DescribeStream":
		list := []map[string]any{}
		for i := range e.shards {
			shard := map[string]any{"ShardId": strconv.Itoa(i), "ParentShardId": strconv.Itoa(i - 1)}
			if i < e.closed {
				shard["SequenceNumberRange"] = map[string]string{"EndingSequenceNumber": "9"}
			}
			list = append(list, shard)
		}
		out = map[string]any{"StreamDescription": map[string]any{"Shards": list}}
	case "GetShardIterator":
		shard, _ := strconv.Atoi(in.ShardID)
		at := 0
		switch in.ShardIteratorType {
		case "LATEST":
			at = len(e.shards[shard])
		case "AFTER_SEQUENCE_NUMBER":
			n, _ := strconv.Atoi(in.SequenceNumber)
			at = n%1000 + 1
		}
		out = map[string]string{"ShardIterator": fmt.Sprintf("%d/%d", shard, at)}
	case "GetRecords":
		if e.broken > 0 {
			e.broken--
			return nil, errors.New("the engine is busy")
		}
		var shard, at int
		if _, err := fmt.Sscanf(in.ShardIterator, "%d/%d", &shard, &at); err != nil {
			return nil, err
		}
		records := []map[string]any{}
		for ; at < len(e.shards[shard]) && len(records) < in.Limit; at++ {
			records = append(records, map[string]any{"eventName": "INSERT", "dynamodb": map[string]any{
				"SequenceNumber": strconv.Itoa(1000*shard + at), "ApproximateCreationDateTime": time.Now().Unix(),
				"Keys": map[string]any{"PK": map[string]string{"S": e.shards[shard][at]}},
			}})
		}
		next := fmt.Sprintf("%d/%d", shard, at)
		if shard < e.closed && at == len(e.shards[shard]) {
			next = ""
		}
		out = map[string]any{"Records": records, "NextShardIterator": next}
		if e.onRead != nil {
			defer e.onRead()
		}
	default:
		return nil, errors.New(operation)
	}
	return json.Marshal(out)
}

func (e *engine) write(keys ...string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	last := len(e.shards) - 1
	e.shards[last] = append(e.shards[last], keys...)
}

func (e *engine) split() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = len(e.shards)
	e.shards = append(e.shards, nil)
}

func fromStream(properties string) string {
	return `      Events:
        Changes:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Things.StreamArn
            FunctionResponseTypes: [ReportBatchItemFailures]
            DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Failed.Arn}}
` + properties
}

func succeed(_, _ []string, _ []byte) (pump.Answer, error) { return report(), nil }

func TestStreamFromItsBeginning(t *testing.T) {
	t.Parallel()
	e := &engine{shards: [][]string{{"a", "b", "c"}}}
	w := begin(t, fromStream(`            StartingPosition: TRIM_HORIZON
            BatchSize: 2
            FilterCriteria: {Filters: [{Pattern: '{"dynamodb":{"Keys":{"PK":{"S":[{"anything-but":"x"}]}}}}'}]}
`), e, succeed)
	w.idle(t)
	e.write("x", "d")
	w.idle(t)
	e.split()
	e.write("e")
	w.idle(t)
	if diff := cmp.Diff([]string{"a b", "c", "d", "e"}, w.seen()); diff != "" {
		t.Error(diff)
	}
}

func TestStreamFromItsEnd(t *testing.T) {
	t.Parallel()
	e := &engine{shards: [][]string{{"a"}, {"b"}}, closed: 1}
	w := begin(t, fromStream("            StartingPosition: LATEST\n"), e, succeed)
	e.write("c")
	w.idle(t)
	if diff := cmp.Diff([]string{"c"}, w.seen()); diff != "" {
		t.Error(diff)
	}
	w.Stop()
	if diff := cmp.Diff(pump.Positions{"work/Changes/1": "1001"}, w.Positions()); diff != "" {
		t.Error(diff)
	}
}

// poisoned fails the first record with the key "p", and with report or without.
func poisoned(partial bool) handler {
	return func(ids, contents []string, _ []byte) (pump.Answer, error) {
		for i, c := range contents {
			if c == "p" && partial {
				return report(ids[i]), nil
			}
			if c == "p" {
				return pump.Answer{Failed: true}, nil
			}
		}
		return report(), nil
	}
}

func TestStreamGivesUpAPoisonRecord(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		properties string
		partial    bool
		want       []string // invocations
		size       int      // what is given up
	}{
		"WithoutBisect": {"", false, []string{"a p b", "a p b"}, 3},
		"Partial":       {"", true, []string{"a p b", "p b"}, 2},
		"Bisect": {
			"            BisectBatchOnFunctionError: true\n", false,
			[]string{"a p b", "a", "p b", "p", "p", "b"},
			1,
		},
		"PartialAndBisect": {
			"            BisectBatchOnFunctionError: true\n", true,
			[]string{"a p b", "p b", "p", "p", "b"},
			1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := &engine{shards: [][]string{{"a", "p", "b"}}}
			w := begin(t, fromStream("            StartingPosition: TRIM_HORIZON\n            MaximumRetryAttempts: 1\n"+tt.properties), e, poisoned(tt.partial))
			w.idle(t)
			if diff := cmp.Diff(tt.want, w.seen()); diff != "" {
				t.Error(diff)
			}
			got, err := w.queues.Receive("Failed", 10, time.Minute)
			if err != nil || len(got) != 1 || !strings.Contains(got[0].Body, `"batchSize":`+strconv.Itoa(tt.size)) ||
				!strings.Contains(got[0].Body, `"condition":"RetryAttemptsExhausted"`) {
				t.Errorf("got %+v, %v", got, err)
			}
			e.write("c")
			w.idle(t)
			if last := w.seen()[len(w.seen())-1]; last != "c" {
				t.Errorf("got %q after what was given up", last)
			}
		})
	}
}

func TestStreamWithoutALimitTriesUntilItSucceeds(t *testing.T) {
	t.Parallel()
	failures := 5
	w := begin(t, fromStream("            StartingPosition: TRIM_HORIZON\n"), &engine{shards: [][]string{{"a"}}},
		func(_, _ []string, _ []byte) (pump.Answer, error) {
			failures--
			return pump.Answer{Failed: failures >= 0}, nil
		})
	w.idle(t)
	if got := w.seen(); len(got) != 6 {
		t.Errorf("got %d attempts", len(got))
	}
	if d, _ := w.queues.Depth("Failed"); d != (queues.Depth{}) {
		t.Errorf("got %+v given up", d)
	}
}

func TestStreamThatCannotBeReadIsNotedOnce(t *testing.T) {
	t.Parallel()
	w := begin(t, fromStream("            StartingPosition: TRIM_HORIZON\n"), &engine{shards: [][]string{{"a"}}, broken: 3}, succeed)
	w.idle(t)
	if diff := cmp.Diff([]string{"a"}, w.seen()); diff != "" {
		t.Error(diff)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if diff := cmp.Diff([]string{"read the stream of Things for WorkFunction: the engine is busy"}, w.notes); diff != "" {
		t.Error(diff)
	}
}

func TestStreamPauses(t *testing.T) {
	t.Parallel()
	e := &engine{shards: [][]string{nil}}
	w := begin(t, fromStream("            StartingPosition: LATEST\n"), e, succeed)
	w.Pause()
	e.write("a")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := w.Idle(ctx); err == nil || !strings.Contains(err.Error(), "the stream of Things is not read to its end") {
		t.Errorf("got %v while paused", err)
	}
	w.Resume()
	w.idle(t)
	if diff := cmp.Diff([]string{"a"}, w.seen()); diff != "" {
		t.Error(diff)
	}
}

// A delivery that runs when Idle begins writes behind the last read of the stream, and ends at once.
func TestIdleWaitsForWhatTheLastDeliveryWrites(t *testing.T) {
	t.Parallel()
	armed, read, started := atomic.Bool{}, make(chan struct{}, 1), make(chan struct{})
	e := &engine{shards: [][]string{nil}}
	e.onRead = func() {
		if armed.CompareAndSwap(true, false) {
			read <- struct{}{}
		}
	}
	events := fromStream("            StartingPosition: LATEST\n") + strings.TrimPrefix(fromOrders, "      Events:\n")
	w := begin(t, events, e, func(_, contents []string, _ []byte) (pump.Answer, error) {
		if contents[0] == "message" {
			close(started)
			<-read
			e.write("written")
		}
		return report(), nil
	})
	w.send(t, "Orders.fifo", "a", "message")
	<-started
	armed.Store(true)
	w.idle(t)
	if diff := cmp.Diff([]string{"message", "written"}, w.seen()); diff != "" {
		t.Error(diff)
	}
}
