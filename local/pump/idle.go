package pump

import (
	"context"
	"fmt"
	"time"
)

// lookAgain is how often Idle looks.
const lookAgain = 10 * time.Millisecond

// Idle waits until everything that happened before is worked off: the streams are read to their ends, no delivery
// is in flight, and no queue that invokes a function has a message. Dead-letter queues do not count, nor do the times of
// schedules. Its error is that of ctx, with what is left.
func (p *Pump) Idle(ctx context.Context) error {
	for {
		deliveries := p.begun.Load()
		left := p.left() // a delivery that is in flight may write behind the ends of the streams
		if left == "" {
			if err := p.streamsRead(ctx, time.Now()); err != nil {
				return err
			}
			if left = p.left(); left == "" && deliveries == p.begun.Load() {
				return nil
			}
		}
		if !sleep(ctx, lookAgain) {
			return fmt.Errorf("wait until events are worked off: %s: %w", left, ctx.Err())
		}
	}
}

// streamsRead waits until every stream was read to its end after the time.
func (p *Pump) streamsRead(ctx context.Context, since time.Time) error {
	for _, s := range p.streams {
		for !s.readSince(since) {
			s.kick()
			if !sleep(ctx, lookAgain) {
				return fmt.Errorf("wait until events are worked off: the stream of %s is not read to its end: %w", s.source.Table, ctx.Err())
			}
		}
	}
	return nil
}

// left says what is not worked off; empty is nothing.
func (p *Pump) left() string {
	for _, f := range p.cfg.Template.Functions {
		for _, s := range f.Sources {
			if s.Queue == "" {
				continue
			}
			q, _ := p.cfg.Template.Queue(s.Queue)
			depth, err := p.cfg.Queues.Depth(q.Name)
			if err != nil || depth.All() > 0 {
				return fmt.Sprintf("%s has %d messages", s.Queue, depth.All())
			}
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy > 0 {
		return fmt.Sprintf("%d deliveries are in flight", p.busy)
	}
	return ""
}
