// Package batch handles the batches that Lambda reads from SQS and from DynamoDB streams record by record, and
// reports the records that failed, so that only they are delivered again. The event source needs
// FunctionResponseTypes: [ReportBatchItemFailures].
//
// Records of one key (the group of a FIFO queue, the partition of a table) are handled in their order: after
// one of them has failed, the later ones are reported as failed without being handled. A panic is its record's
// failure. A Permanent error sends its record to the dead-letter queue at once instead of to its retries. When
// the function's deadline is near, records that have not started fail.
//
// Every record may be handled more than once. The handler's effect must be the same then: outboxddb.Consume.
package batch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/queue"
)

// DefaultMargin is how long before the function's deadline no further record is started.
const DefaultMargin = 2 * time.Second

// Config is how a batch is handled. Its zero value works.
type Config struct {
	// Parallel is how many keys are handled at the same time. 0 is 1.
	Parallel int
	// DeadLetters takes the records whose error is Permanent. Nil leaves them to their retries.
	DeadLetters queue.Sender
	// Margin is the time that must be left before a record is started; half of it is left when a started
	// record's context ends. 0 is DefaultMargin.
	Margin time.Duration
	// Now is the clock. Nil is time.Now.
	Now func() time.Time
}

// AttrRecord is the attribute of a message in a dead-letter queue that holds the id of the failed record, by which the log
// names its error.
const AttrRecord = "record_id"

// ErrDeadline is the failure of a record that was not started because the function's deadline was near.
var ErrDeadline = errors.New("batch: the deadline is near")

// errBehind is the failure of a record that was not started because one before it failed.
var errBehind = errors.New("batch: an earlier record of the key failed")

type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Permanent reports true.
func (permanent) Permanent() bool { return true }

// Permanent returns err as one that would come again with the same record, such as that of a message which
// cannot be read. Nil stays nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanent{err}
}

// IsPermanent reports whether err, or an error that it wraps, has a method Permanent that returns true.
func IsPermanent(err error) bool {
	var p interface{ Permanent() bool }
	return errors.As(err, &p) && p.Permanent()
}

// record is one record of a batch of any source.
type record struct {
	id, key string
	handle  func(ctx context.Context) error
}

// run handles all records and returns their errors, by their index.
func (c Config) run(ctx context.Context, records []record) []error {
	byKey := map[string][]int{}
	var keys []string
	for i, r := range records {
		if _, ok := byKey[r.key]; !ok {
			keys = append(keys, r.key)
		}
		byKey[r.key] = append(byKey[r.key], i)
	}

	failures := make([]error, len(records)) // each goroutine writes its own key's places
	next := make(chan []int)
	var workers sync.WaitGroup
	for range min(max(c.Parallel, 1), len(keys)) {
		workers.Go(func() {
			for indexes := range next {
				c.runKey(ctx, records, indexes, failures)
			}
		})
	}
	for _, key := range keys {
		next <- byKey[key]
	}
	close(next)
	workers.Wait()
	return failures
}

// runKey handles the records of one key, in their order, up to the first failure.
func (c Config) runKey(ctx context.Context, records []record, indexes []int, failures []error) {
	var err error
	for _, i := range indexes {
		if err == nil {
			err = c.one(ctx, records[i])
		} else {
			err = errBehind
		}
		failures[i] = err
	}
}

func (c Config) one(ctx context.Context, r record) error {
	limited, cancel, err := c.limit(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	return recovered(limited, r.handle)
}

// limit returns a context for one record that ends before the function's deadline, or ErrDeadline.
func (c Config) limit(ctx context.Context) (context.Context, context.CancelFunc, error) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return ctx, func() {}, ctx.Err()
	}
	margin, now := c.Margin, time.Now
	if margin <= 0 {
		margin = DefaultMargin
	}
	if c.Now != nil {
		now = c.Now
	}
	if deadline.Sub(now().Round(0)) < margin {
		return nil, nil, ErrDeadline
	}
	limited, cancel := context.WithDeadline(ctx, deadline.Add(-margin/2))
	return limited, cancel, nil
}

// Limit returns a context that ends DefaultMargin before the function's deadline, for a sweep that does what it can and
// leaves the rest to the next one.
func Limit(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return ctx, func() {}
	}
	return context.WithDeadline(ctx, deadline.Add(-DefaultMargin))
}

func recovered(ctx context.Context, handle func(context.Context) error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = logging.Panicked(value)
		}
	}()
	return handle(ctx)
}

// bury sends a dead letter.
func bury(ctx context.Context, dead queue.Sender, letter queue.Message) error {
	if err := dead.Send(ctx, []queue.Message{letter}); err != nil {
		return fmt.Errorf("send to the dead-letter queue: %w", err)
	}
	return nil
}

func logFailure(ctx context.Context, text, id string, err error) {
	logging.From(ctx).Error(text, zap.String(AttrRecord, id), logging.Error(err))
}

const (
	textFailed = "record failed"
	textBuried = "record sent to the dead-letter queue"
)

// count adds what became of the batch to the log entry of the invocation.
func count(ctx context.Context, records, failed int) {
	logging.EntryFrom(ctx).Add(zap.Int("records", records), zap.Int("failed_records", failed))
}
