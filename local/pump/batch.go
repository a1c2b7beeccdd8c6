package pump

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tienda-dev/tienda/local/filter"
	"github.com/tienda-dev/tienda/local/template"
)

// streamBatch delivers consecutive records of one shard.
type streamBatch struct {
	s     *stream
	shard string
}

// batchInfo says where the records are that a stream gave up. Their content is in the stream only.
type batchInfo struct {
	ShardID   string `json:"shardId"`
	Start     string `json:"startSequenceNumber"`
	End       string `json:"endSequenceNumber"`
	First     string `json:"approximateArrivalOfFirstRecord"`
	Last      string `json:"approximateArrivalOfLastRecord"`
	Size      int    `json:"batchSize"`
	StreamARN string `json:"streamArn"`
}

func (s *stream) matches(r record) bool {
	text, err := json.Marshal(r)
	return err == nil && filter.MatchAny(s.source.Filters, text)
}

// work delivers the records until all succeeded or were given up. It returns what is left when ctx ends.
func (b *streamBatch) work(ctx context.Context, records []record) []record {
	for attempt := 0; len(records) > 0; {
		if ctx.Err() != nil {
			return records
		}
		fresh := b.young(records)
		if old := len(records) - len(fresh); old > 0 {
			b.giveUp(records[:old], "RecordAgeExceeded", attempt)
			records = fresh
			continue
		}
		done := b.invoke(records)
		if done > 0 { // what is left is another batch
			records, attempt = records[done:], 0
			if len(records) == 0 {
				return nil
			}
		}
		attempt++
		if b.s.source.Bisect && len(records) > 1 && done == 0 {
			half := len(records) / 2
			if rest := b.work(ctx, records[:half:half]); len(rest) > 0 {
				return append(rest, records[half:]...)
			}
			records, attempt = records[half:], 0
			continue
		}
		if most := b.s.source.MaxRetries; most >= 0 && attempt > most {
			b.giveUp(records, "RetryAttemptsExhausted", attempt)
			return nil
		}
		sleep(ctx, b.s.p.retryDelay(attempt))
	}
	return nil
}

// young returns the records from the first one on that is not too old.
func (b *streamBatch) young(records []record) []record {
	age := b.s.source.MaxAge
	for age > 0 && len(records) > 0 && time.Since(records[0].created) > age {
		records = records[1:]
	}
	return records
}

// invoke delivers the records once and returns how many of them, from the first on, are done.
func (b *streamBatch) invoke(records []record) int {
	payload, err := json.Marshal(map[string]any{"Records": records})
	if err != nil || len(payload) > maxPayload && len(records) > 1 {
		records = records[:len(records)/2]
		if payload, err = json.Marshal(map[string]any{"Records": records}); err != nil {
			return 0
		}
	}
	answer, err := b.s.p.deliver(Call{Function: b.s.function, Event: b.s.source.Name, Payload: payload})
	if err != nil || answer.Failed {
		return 0
	}
	if !b.s.source.PartialFailures {
		return len(records)
	}
	place := map[string]int{}
	for i, r := range records {
		place[r.sequence] = i
	}
	failed, all := failures(answer.Payload, func(id string) bool { _, ok := place[id]; return ok })
	if all {
		return 0
	}
	done := len(records)
	for id := range failed {
		done = min(done, place[id])
	}
	return done
}

// giveUp sends the place of the records to the on-failure queue.
func (b *streamBatch) giveUp(records []record, condition string, attempts int) {
	first, last := records[0], records[len(records)-1]
	b.s.p.cfg.Note(fmt.Sprintf("%s of %s gave up %d records after %d attempts: %s",
		b.s.source.Name, b.s.function.LogicalID, len(records), attempts, condition))
	f := failure{
		RequestContext: requestContext{
			RequestID: newID(), FunctionARN: template.FunctionARN(b.s.function.LogicalID), Condition: condition, Invokes: attempts,
		},
		Batch: &batchInfo{
			ShardID: b.shard, Start: first.sequence, End: last.sequence, First: stamp(first.created), Last: stamp(last.created),
			Size: len(records), StreamARN: b.s.arn,
		},
	}
	if attempts > 0 {
		f.ResponseContext = &responseContext{200, "$LATEST", "Unhandled"}
	}
	b.s.p.sendFailure(b.s.source.OnFailure, f)
}
