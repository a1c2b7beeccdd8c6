package pump

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/tienda-dev/tienda/local/template"
)

const (
	streams = "DynamoDBStreams_20120810."
	// The pause between two looks at a stream without records grows from the first to the second.
	pollActive = 100 * time.Millisecond
	pollIdle   = 500 * time.Millisecond
	// describeEvery is how often shards are looked for, besides when one ends.
	describeEvery = time.Minute
)

// stream delivers the records of a table's stream.
type stream struct {
	p        *Pump
	function template.Function
	source   template.Source
	arn      string
	look     chan struct{}

	described time.Time
	ended     bool // a shard has ended, so there are new ones
	shards    []*shard
	known     map[string]bool

	mu   sync.Mutex
	read time.Time // when the last pass that found nothing began
}

// shard is a shard that is not read to its end.
type shard struct {
	id       string
	iterator string
	position string // the sequence number that is worked off
	pending  []record
	first    time.Time // when the first pending record was read
	last     string    // the sequence number that is read
}

// record is a stream record. Its JSON is Lambda's.
type record struct {
	EventID        string          `json:"eventID"`
	EventName      string          `json:"eventName"`
	EventVersion   string          `json:"eventVersion"`
	EventSource    string          `json:"eventSource"`
	AWSRegion      string          `json:"awsRegion"`
	Change         json.RawMessage `json:"dynamodb"`
	UserIdentity   *identity       `json:"userIdentity,omitempty"`
	EventSourceARN string          `json:"eventSourceARN"`

	sequence string
	created  time.Time
}

// identity is who deleted an expired item: DynamoDB itself. Streams and Lambda spell it differently, and
// encoding/json reads both.
type identity struct {
	Type        string `json:"type"`
	PrincipalID string `json:"principalId"`
}

// openStream finds the stream of the source's table and the place from which it is read.
func (p *Pump) openStream(ctx context.Context, f template.Function, source template.Source) (*stream, error) {
	if p.cfg.Streams == nil {
		return nil, errors.New("no engine to read streams from")
	}
	table, _ := p.cfg.Template.Table(source.Table)
	s := &stream{p: p, function: f, source: source, look: make(chan struct{}, 1), known: map[string]bool{}}
	var list struct {
		Streams []struct{ StreamArn, StreamLabel string }
	}
	if err := s.call(ctx, "ListStreams", map[string]any{"TableName": table.Name}, &list); err != nil {
		return nil, err
	}
	newest := ""
	for _, found := range list.Streams {
		if found.StreamLabel >= newest { // a time
			newest, s.arn = found.StreamLabel, found.StreamArn
		}
	}
	if s.arn == "" {
		return nil, fmt.Errorf("the table %s has no stream", table.Name)
	}
	start := "TRIM_HORIZON"
	if source.FromLatest || p.cfg.FromLatest {
		start = "LATEST"
	}
	if err := s.describe(ctx, start); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *stream) call(ctx context.Context, operation string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	answer, err := s.p.cfg.Streams.Call(ctx, streams+operation, body)
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, out)
}

func (s *stream) key(shard string) string { return s.function.Name + "/" + s.source.Name + "/" + shard }

func (s *stream) positions(into Positions) {
	for _, sh := range s.shards {
		if sh.position != "" {
			into[s.key(sh.id)] = sh.position
		}
	}
}

// describe adds the shards that are new. At the start they are read from the given place; later ones from their
// beginning, when their parent is worked off.
func (s *stream) describe(ctx context.Context, start string) error {
	in := map[string]any{"StreamArn": s.arn}
	for {
		var out struct {
			StreamDescription struct {
				LastEvaluatedShardID string `json:"LastEvaluatedShardId"`
				Shards               []struct {
					ShardID             string `json:"ShardId"`
					ParentShardID       string `json:"ParentShardId"`
					SequenceNumberRange struct{ EndingSequenceNumber string }
				}
			}
		}
		if err := s.call(ctx, "DescribeStream", in, &out); err != nil {
			return err
		}
		for _, found := range out.StreamDescription.Shards {
			position := s.p.cfg.Positions[s.key(found.ShardID)]
			switch {
			case s.known[found.ShardID], s.reads(found.ParentShardID):
				continue
			case start == "LATEST" && found.SequenceNumberRange.EndingSequenceNumber != "" && position == "":
				s.known[found.ShardID] = true
				continue
			}
			sh := &shard{id: found.ShardID, position: position, last: position}
			if err := s.iterate(ctx, sh, start); err != nil {
				return err
			}
			s.known[found.ShardID] = true
			s.shards = append(s.shards, sh)
		}
		if out.StreamDescription.LastEvaluatedShardID == "" {
			break
		}
		in["ExclusiveStartShardId"] = out.StreamDescription.LastEvaluatedShardID
	}
	s.described, s.ended = time.Now(), false
	return nil
}

func (s *stream) reads(id string) bool {
	for _, sh := range s.shards {
		if sh.id == id {
			return true
		}
	}
	return false
}

// iterate asks for an iterator: after what was read of the shard, or at the start.
func (s *stream) iterate(ctx context.Context, sh *shard, start string) error {
	in := map[string]any{"StreamArn": s.arn, "ShardId": sh.id, "ShardIteratorType": start}
	if sh.last != "" {
		in["ShardIteratorType"], in["SequenceNumber"] = "AFTER_SEQUENCE_NUMBER", sh.last
	}
	var out struct{ ShardIterator string }
	err := s.call(ctx, "GetShardIterator", in, &out)
	sh.iterator = out.ShardIterator
	return err
}

func (s *stream) run(ctx context.Context) {
	pause, failing := pollActive, false
	for {
		running, err := s.p.running(ctx)
		if err != nil {
			return
		}
		began := time.Now()
		found, err := s.pass(running)
		switch {
		case running.Err() != nil:
			continue
		case err != nil:
			if !failing { // once, until it succeeds
				s.p.cfg.Note(fmt.Sprintf("read the stream of %s for %s: %v", s.source.Table, s.function.LogicalID, err))
			}
			pause, failing = pollIdle, true
		case found:
			pause, failing = pollActive, false
			continue
		default:
			s.nothing(began)
			failing = false
			pause = min(2*pause, pollIdle)
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-s.look:
		case <-running.Done():
		}
		timer.Stop()
	}
}

// nothing notes a pass without records that began at the time.
func (s *stream) nothing(began time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read = began
}

// readSince reports whether a pass that began after the time found nothing.
func (s *stream) readSince(t time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.read.After(t)
}

// kick lets the stream be read now.
func (s *stream) kick() {
	select {
	case s.look <- struct{}{}:
	default:
	}
}

// pass reads every shard once and delivers the batches that are due. It reports whether there was something.
func (s *stream) pass(ctx context.Context) (found bool, err error) {
	if s.ended || time.Since(s.described) > describeEvery {
		if err := s.describe(ctx, "TRIM_HORIZON"); err != nil {
			return false, err
		}
	}
	var open []*shard
	for _, sh := range s.shards {
		more, err := s.readShard(ctx, sh)
		if err != nil {
			return false, err
		}
		due := len(sh.pending) >= s.source.BatchSize || time.Since(sh.first) >= s.source.Window || sh.iterator == ""
		if len(sh.pending) > 0 && due {
			if !s.work(ctx, sh) {
				return true, ctx.Err()
			}
		}
		found = found || more || len(sh.pending) > 0
		if sh.iterator == "" {
			s.ended, found = true, true
			continue
		}
		open = append(open, sh)
	}
	s.shards = open
	return found, nil
}

// readShard adds the next records to what is pending.
func (s *stream) readShard(ctx context.Context, sh *shard) (more bool, err error) {
	room := min(s.source.BatchSize-len(sh.pending), 1000)
	if room <= 0 || sh.iterator == "" {
		return false, nil
	}
	var out struct {
		Records           []record
		NextShardIterator string
	}
	for limit := room; ; limit /= 2 {
		err = s.call(ctx, "GetRecords", map[string]any{"ShardIterator": sh.iterator, "Limit": limit}, &out)
		if err == nil || limit <= 1 || ctx.Err() != nil || !strings.Contains(err.Error(), "bytes") {
			break // otherwise the answer was too large
		}
	}
	if err != nil {
		if ctx.Err() == nil && (strings.Contains(err.Error(), "ExpiredIterator") || strings.Contains(err.Error(), "TrimmedDataAccess")) {
			return true, s.iterate(ctx, sh, "TRIM_HORIZON")
		}
		return false, err
	}
	for _, r := range out.Records {
		var change struct {
			SequenceNumber              string
			ApproximateCreationDateTime float64
		}
		if err := json.Unmarshal(r.Change, &change); err != nil {
			return false, err
		}
		r.sequence, r.EventSourceARN = change.SequenceNumber, s.arn
		r.created = time.UnixMilli(int64(change.ApproximateCreationDateTime * 1000))
		sh.last = r.sequence
		if !s.matches(r) {
			continue
		}
		if len(sh.pending) == 0 {
			sh.first = time.Now()
		}
		sh.pending = append(sh.pending, r)
	}
	if len(sh.pending) == 0 {
		sh.position = sh.last
	}
	sh.iterator = out.NextShardIterator
	return len(out.Records) > 0, nil
}

// work delivers what is pending. It returns false when ctx ended before all of it was worked off; the rest stays
// pending.
func (s *stream) work(ctx context.Context, sh *shard) bool {
	batch := &streamBatch{s: s, shard: sh.id}
	rest := batch.work(ctx, sh.pending)
	if done := len(sh.pending) - len(rest); done > 0 {
		sh.position = sh.pending[done-1].sequence
	}
	sh.pending = rest
	if len(rest) == 0 {
		sh.position = sh.last
	}
	return len(rest) == 0
}
