package template

import (
	"time"

	"github.com/tienda-dev/tienda/local/filter"
	"github.com/tienda-dev/tienda/local/schedule"
)

// Queue is an SQS queue.
type Queue struct {
	// LogicalID is its name in the template.
	LogicalID string
	// Name is the name that it has on this machine; that of a FIFO queue ends in ".fifo".
	Name string
	// FIFO is true for a queue that keeps the order of each message group.
	FIFO bool
	// ContentDeduplication is true when a message without a deduplication id takes the digest of its body.
	ContentDeduplication bool
	// GroupDeduplication is true when a deduplication id counts in its message group only.
	GroupDeduplication bool
	// VisibilityTimeout is how long a received message is hidden, 30 s by default.
	VisibilityTimeout time.Duration
	// Retention is how long a message is kept, 4 days by default.
	Retention time.Duration
	// Delay is how long a new message is hidden, 0 by default.
	Delay time.Duration
	// DeadLetter is the logical id of the queue for messages that were received MaxReceives times; empty is none.
	DeadLetter string
	// MaxReceives is 0 without a DeadLetter.
	MaxReceives int

	line int
}

// Source is a DynamoDB stream or an SQS queue that invokes a function with batches.
type Source struct {
	// Name is the event's name in the function.
	Name string
	// Table is the logical id of the table whose stream is read; empty for a queue.
	Table string
	// Queue is the logical id of the queue; empty for a stream.
	Queue string
	// FromLatest is true for a stream that is read from its end and not from its beginning.
	FromLatest bool
	// BatchSize is the most records of one invocation: by default 100 for a stream, 10 for a queue.
	BatchSize int
	// Window is how long a batch that is not full waits for records.
	Window time.Duration
	// Filters are the patterns of which a record must match one. Without any, all records match.
	Filters []filter.Pattern
	// PartialFailures is true when the function's answer names the records that failed.
	PartialFailures bool
	// MaxConcurrency is the most invocations at one time by this source; 0 is no limit.
	MaxConcurrency int
	// Parallelization is how many batches of a stream's shard are in flight, 1 by default.
	Parallelization int
	// Bisect is true when a batch of a stream that failed is split in two.
	Bisect bool
	// MaxRetries is how often a batch of a stream is tried again; negative is until it expires.
	MaxRetries int
	// MaxAge is how old a record of a stream may be; 0 is no limit.
	MaxAge time.Duration
	// OnFailure is the logical id of the queue that receives what a stream gives up; empty is none.
	OnFailure string

	line int
}

// Schedule invokes a function at times.
type Schedule struct {
	// Name is the event's name in the function.
	Name string
	// When computes the times.
	When schedule.Schedule
	// Expression is the text of When, "rate(1 minute)".
	Expression string
	// Input is the event that the function receives. Empty is EventBridge's own.
	Input string
	// Scheduler is true for EventBridge Scheduler (ScheduleV2), false for a rule.
	Scheduler bool
}

// Async is what Lambda does with an asynchronous invocation that fails.
type Async struct {
	// MaxRetries is how often it is tried again, 2 by default.
	MaxRetries int
	// MaxAge is how old the event may become, 6 hours by default.
	MaxAge time.Duration
	// OnFailure is the logical id of the queue that receives an event that is given up; empty is none.
	OnFailure string
}

// Queue returns the queue with the logical id, and false when there is none.
func (t *Template) Queue(logicalID string) (Queue, bool) {
	for _, q := range t.Queues {
		if q.LogicalID == logicalID {
			return q, true
		}
	}
	return Queue{}, false
}

// Table returns the table with the logical id, and false when there is none.
func (t *Template) Table(logicalID string) (Table, bool) {
	for _, table := range t.Tables {
		if table.LogicalID == logicalID {
			return table, true
		}
	}
	return Table{}, false
}

// Asynchronous reports whether a function is invoked by something else than a request.
func (t *Template) Asynchronous() bool {
	for _, f := range t.Functions {
		if len(f.Sources) > 0 || len(f.Schedules) > 0 {
			return true
		}
	}
	return false
}
