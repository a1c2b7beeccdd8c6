package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// intent is a PaymentIntent as Stripe stores it. Amounts are in Stripe's smallest unit, times in seconds since 1970.
type intent struct {
	ID            string            `json:"id"`
	Amount        int64             `json:"amount"`
	Capturable    int64             `json:"capturable"`
	Received      int64             `json:"received"`
	Currency      string            `json:"currency"`
	CaptureMethod string            `json:"capture_method"`
	Method        string            `json:"payment_method"`
	Multicapture  bool              `json:"multicapture"`
	Status        string            `json:"status"`
	Metadata      map[string]string `json:"metadata"`
	Charge        string            `json:"charge,omitempty"`
	DeclineCode   string            `json:"decline_code,omitempty"`
	CanceledAt    int64             `json:"canceled_at,omitempty"`
	Created       int64             `json:"created"`
}

// refund is a Refund as Stripe stores it.
type refund struct {
	ID       string            `json:"id"`
	Intent   string            `json:"payment_intent"`
	Charge   string            `json:"charge"`
	Amount   int64             `json:"amount"`
	Currency string            `json:"currency"`
	Status   string            `json:"status"`
	Metadata map[string]string `json:"metadata"`
	Created  int64             `json:"created"`
}

// Entry is one movement of money.
type Entry struct {
	// Kind is authorize, capture, release or refund.
	Kind string `json:"kind"`
	// PaymentIntent is the id of the payment.
	PaymentIntent string `json:"payment_intent"`
	// Amount is in the currency's smallest unit at Stripe.
	Amount int64 `json:"amount"`
	// Currency is in lower case.
	Currency string `json:"currency"`
	// Metadata is what the caller attached to the payment or refund.
	Metadata map[string]string `json:"metadata"`
}

// Ledger is every movement of money so far.
type Ledger struct {
	Entries []Entry `json:"entries"`
	// Requests counts the requests that were received by operation, repeated ones too.
	Requests map[string]int `json:"requests"`
}

// Sum returns the total of the entries of a kind whose metadata has the value under the name.
func (l Ledger) Sum(kind, name, value string) int64 {
	var sum int64
	for _, e := range l.Entries {
		if e.Kind == kind && e.Metadata[name] == value {
			sum += e.Amount
		}
	}
	return sum
}

// Count returns the number of the entries of a kind whose metadata has the value under the name.
func (l Ledger) Count(kind, name, value string) int {
	n := 0
	for _, e := range l.Entries {
		if e.Kind == kind && e.Metadata[name] == value {
			n++
		}
	}
	return n
}

// answered is the stored answer to a key: whatever follows, the key gets this one.
type answered struct {
	Fingerprint string          `json:"fingerprint"`
	Status      int             `json:"status"`
	Body        json.RawMessage `json:"body"`
}

// books are all that the simulator remembers. The file has them as JSON.
type books struct {
	Intents map[string]*intent  `json:"intents"`
	Refunds []*refund           `json:"refunds"`
	Keys    map[string]answered `json:"keys"`
	Ledger  Ledger              `json:"ledger"`
	// Tries counts the attempts at each payment by operation, for behaviour that changes with it.
	Tries map[string]int `json:"tries"`
}

func openBooks(path string) (*books, error) {
	b := &books{}
	if path != "" {
		text, err := os.ReadFile(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, fmt.Errorf("open the ledger: %w", err)
		default:
			if err := json.Unmarshal(text, b); err != nil {
				return nil, fmt.Errorf("open the ledger %s: %w", path, err)
			}
		}
	}
	if b.Intents == nil {
		b.Intents = map[string]*intent{}
	}
	if b.Keys == nil {
		b.Keys = map[string]answered{}
	}
	if b.Tries == nil {
		b.Tries = map[string]int{}
	}
	if b.Ledger.Requests == nil {
		b.Ledger.Requests = map[string]int{}
	}
	return b, nil
}

// save replaces the file in one step, so that a killed process leaves the old or the new one.
func (b *books) save(path string) error {
	if path == "" {
		return nil
	}
	text, err := json.Marshal(b)
	if err != nil {
		return fmt.Errorf("save the ledger: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("save the ledger: %w", err)
	}
	next := path + ".next"
	if err := os.WriteFile(next, text, 0o600); err != nil {
		return fmt.Errorf("save the ledger: %w", err)
	}
	if err := os.Rename(next, path); err != nil {
		return fmt.Errorf("save the ledger: %w", err)
	}
	return nil
}

func (b *books) enter(kind string, in *intent, amount int64, metadata map[string]string) {
	b.Ledger.Entries = append(b.Ledger.Entries, Entry{
		Kind: kind, PaymentIntent: in.ID, Amount: amount, Currency: in.Currency, Metadata: metadata,
	})
}

// refundsOf returns the refunds of a payment, the newest first.
func (b *books) refundsOf(id string) []*refund {
	var found []*refund
	for _, r := range b.Refunds {
		if r.Intent == id {
			found = append(found, r)
		}
	}
	slices.Reverse(found)
	return found
}

// refunded is what was given back or is on its way.
func (b *books) refunded(id string) int64 {
	var sum int64
	for _, r := range b.refundsOf(id) {
		if r.Status != statusFailed {
			sum += r.Amount
		}
	}
	return sum
}
