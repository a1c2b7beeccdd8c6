package runtime

import "time"

// invocation is one event on its way through an environment.
type invocation struct {
	id       string
	trace    string
	payload  []byte
	deadline time.Time

	// outcome receives the runtime's one post. posted, under the environment's lock, is true after it.
	outcome chan outcome
	posted  bool

	// answered is closed when result and err are final. Only the pool's goroutine writes them.
	answered chan struct{}
	result   Result
	err      error
}

// outcome is how an event ended in its environment.
type outcome struct {
	payload   []byte
	failed    bool
	errorType string
	// err is set when the platform ended the event.
	err error
}

// newInvocation returns an invocation with a new request id.
func newInvocation(payload []byte, trace string) *invocation {
	return &invocation{
		id:       newUUID(),
		trace:    trace,
		payload:  payload,
		outcome:  make(chan outcome, 1),
		answered: make(chan struct{}),
	}
}

// finish makes result and err what Invoke returns.
func (inv *invocation) finish(result Result, err error) {
	inv.result, inv.err = result, err
	inv.result.RequestID = inv.id
	close(inv.answered)
}
