// Package simulator is a Stripe for this machine: the calls that the shop makes, in Stripe's wire format, with a ledger
// that lasts, notifications, and payment methods that behave badly on request. Tests count charges in its ledger.
//
// It keeps Stripe's promises on which the shop relies. A key gets its first answer again, an answer of 500 too; a
// request with a key that is being carried out gets 409; the same key with another request gets 400. A PaymentIntent
// succeeds once at most, and not after it was cancelled.
package simulator

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

const (
	maxBody = 64 << 10
	// defaultSlow and defaultHang are the zero values of Config.
	defaultSlow = 2 * time.Second
	defaultHang = 30 * time.Second
)

// Config is how the simulator runs.
type Config struct {
	// Keys returns the API keys that are accepted and the secrets that sign notifications. It is asked for each request.
	Keys func() (api string, webhooks []string, err error)
	// File holds the ledger; empty keeps it in memory.
	File string
	// Slow is how long MethodSlow takes; 0 is 2 s.
	Slow time.Duration
	// Hang is the longest that a request without an answer is held before its connection is closed; 0 is 30 s.
	Hang time.Duration
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Client sends notifications; nil is http.DefaultClient.
	Client *http.Client
}

// Simulator serves Stripe's API. It is safe for concurrent use.
type Simulator struct {
	cfg Config
	mux *http.ServeMux

	mu      sync.Mutex
	books   *books
	running map[string]bool // keys
	faults  map[string][]Fault
	late    []func()
	target  string // where notifications go
	sending sync.WaitGroup
	// closed is closed when deliveries must end.
	closed chan struct{}
	close  func()
}

// New returns a simulator, with the ledger of the file.
func New(cfg Config) (*Simulator, error) {
	if cfg.Keys == nil {
		return nil, errors.New("simulator: New needs Keys")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Slow == 0 {
		cfg.Slow = defaultSlow
	}
	if cfg.Hang == 0 {
		cfg.Hang = defaultHang
	}
	if cfg.Client == nil {
		cfg.Client = http.DefaultClient
	}
	b, err := openBooks(cfg.File)
	if err != nil {
		return nil, err
	}
	s := &Simulator{cfg: cfg, books: b, running: map[string]bool{}, faults: map[string][]Fault{}, mux: http.NewServeMux()}
	s.closed = make(chan struct{})
	s.close = sync.OnceFunc(func() { close(s.closed) })
	s.mux.HandleFunc("POST /v1/payment_intents", s.keyed("create", s.create))
	s.mux.HandleFunc("GET /v1/payment_intents/{id}", s.plain("retrieve", s.retrieve))
	s.mux.HandleFunc("POST /v1/payment_intents/{id}/confirm", s.keyed("confirm", s.confirm))
	s.mux.HandleFunc("POST /v1/payment_intents/{id}/capture", s.keyed("capture", s.capture))
	s.mux.HandleFunc("POST /v1/payment_intents/{id}/cancel", s.keyed("cancel", s.cancel))
	s.mux.HandleFunc("POST /v1/refunds", s.keyed("refund", s.refund))
	s.mux.HandleFunc("GET /v1/refunds", s.plain("refunds", s.refunds))
	s.mux.HandleFunc("GET /simulator/ledger", s.ledger)
	return s, nil
}

// ServeHTTP implements http.Handler.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, pattern := s.mux.Handler(r); pattern == "" {
		write(w, http.StatusNotFound, failure{Type: "invalid_request_error", Message: "Unrecognized request URL."}.body())
		return
	}
	s.mux.ServeHTTP(w, r)
}

// Fail lets the next requests of the operation (create, retrieve, confirm, capture, cancel, refund, refunds) suffer the
// faults, one each.
func (s *Simulator) Fail(operation string, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[operation] = append(s.faults[operation], faults...)
}

// Heal takes back the faults of the operation that no request has suffered yet.
func (s *Simulator) Heal(operation string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.faults, operation)
}

// Close gives up notifications that are not delivered yet, and waits for their end. Requests are answered as before.
func (s *Simulator) Close() {
	s.close()
	s.sending.Wait()
	s.cfg.Client.CloseIdleConnections()
}

// Ledger returns every movement of money so far.
func (s *Simulator) Ledger() Ledger {
	s.mu.Lock()
	defer s.mu.Unlock()
	copied := Ledger{Entries: append([]Entry{}, s.books.Ledger.Entries...), Requests: map[string]int{}}
	maps.Copy(copied.Requests, s.books.Ledger.Requests)
	return copied
}

func (s *Simulator) ledger(w http.ResponseWriter, _ *http.Request) {
	text, err := json.Marshal(s.Ledger())
	if err != nil {
		text = nil
	}
	write(w, http.StatusOK, text)
}

// reply is an answer, and what is to be notified of it.
type reply struct {
	status int
	body   any
	events []event
	// method is the payment method, which decides how notifications are sent.
	method string
}

// call carries a request out on the books, under the lock.
type call func(id string, form url.Values) reply

// plain serves a read.
func (s *Simulator) plain(operation string, do call) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !s.admit(w, r) {
			return
		}
		s.mu.Lock()
		s.books.Ledger.Requests[operation]++
		fault := s.take(operation)
		answer := do(r.PathValue("id"), r.URL.Query())
		s.mu.Unlock()
		s.finish(w, r, fault, answer.status, encode(answer.body))
	}
}

// keyed serves a change.
func (s *Simulator) keyed(operation string, do call) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !s.admit(w, r) {
			return
		}
		text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		form, parseErr := url.ParseQuery(string(text))
		if err != nil || parseErr != nil {
			write(w, http.StatusBadRequest, failure{Type: "invalid_request_error", Message: "The body is not a form."}.body())
			return
		}
		s.change(w, r, operation, form, do)
	}
}

func (s *Simulator) change(w http.ResponseWriter, r *http.Request, operation string, form url.Values, do call) {
	key, fingerprint := r.Header.Get("Idempotency-Key"), r.URL.Path+"?"+form.Encode()
	s.mu.Lock()
	s.arrive()
	s.books.Ledger.Requests[operation]++
	if stored, ok := s.books.Keys[key]; ok && key != "" {
		s.mu.Unlock()
		if stored.Fingerprint != fingerprint {
			write(w, http.StatusBadRequest, failure{
				Type: "idempotency_error", Message: "Keys for idempotent requests can only be used with the same parameters.",
			}.body())
			return
		}
		w.Header().Set("Idempotent-Replayed", "true")
		write(w, stored.Status, stored.Body)
		return
	}
	if s.running[key] && key != "" {
		s.mu.Unlock()
		write(w, http.StatusConflict, failure{Type: "idempotency_error", Code: "idempotency_key_in_use", Message: "The key is in use."}.body())
		return
	}
	id := r.PathValue("id")
	fault := s.fault(operation, id)
	if fault == LoseRequest || fault == Late {
		if fault == Late {
			s.late = append(s.late, func() {
				status, body, _ := s.carryOut(NoFault, id, form, do)
				s.keep(key, fingerprint, status, body)
			})
		}
		s.mu.Unlock()
		s.finish(w, r, fault, 0, nil)
		return
	}
	if s.slow(operation, id) {
		s.running[key] = true
		s.mu.Unlock()
		wait(r, s.cfg.Slow)
		s.mu.Lock()
		delete(s.running, key)
	}
	status, body, answer := s.carryOut(fault, id, form, do)
	s.keep(key, fingerprint, status, body)
	err, first := s.books.save(s.cfg.File), answer.method == MethodWebhookFirst
	if err == nil && !first {
		s.sending.Go(func() { s.deliver(answer) }) // under the lock: Wait may be called now
	}
	s.mu.Unlock()
	if err != nil { // nothing may be promised that is not stored
		write(w, http.StatusInternalServerError, failure{Type: "api_error", Message: err.Error()}.body())
		return
	}
	if first {
		s.deliver(answer)
	}
	s.finish(w, r, fault, status, body)
}

// arrive carries out the requests that were late.
func (s *Simulator) arrive() {
	for _, request := range s.late {
		request()
	}
	s.late = nil
}

// keep stores the answer for the key. A request that was refused before its work began has used no key.
func (s *Simulator) keep(key, fingerprint string, status int, body []byte) {
	if key != "" && status != http.StatusBadRequest && status != http.StatusNotFound {
		s.books.Keys[key] = answered{Fingerprint: fingerprint, Status: status, Body: body}
	}
}

// carryOut does the request, unless the fault prevents it, and returns the answer for the key.
func (s *Simulator) carryOut(fault Fault, id string, form url.Values, do call) (int, []byte, reply) {
	failed := failure{Type: "api_error", Message: "Something went wrong on our side."}.body()
	if fault == FailBefore {
		return http.StatusInternalServerError, failed, reply{}
	}
	if fault == Refuse {
		refused := failure{Type: "invalid_request_error", Code: "account_restricted", Message: "The account may not do this."}
		return http.StatusBadRequest, refused.body(), reply{}
	}
	answer := do(id, form)
	if fault == FailAfter {
		return http.StatusInternalServerError, failed, answer
	}
	return answer.status, encode(answer.body), answer
}

// finish writes the answer, or none.
func (s *Simulator) finish(w http.ResponseWriter, r *http.Request, fault Fault, status int, body []byte) {
	if fault == LoseAnswer || fault == LoseRequest || fault == Late {
		wait(r, s.cfg.Hang)
		panic(http.ErrAbortHandler)
	}
	write(w, status, body)
}

// wait returns when the client has gone or the time is over.
func wait(r *http.Request, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-r.Context().Done():
	case <-timer.C:
	}
}

// fault is what goes wrong with this request.
func (s *Simulator) fault(operation, id string) Fault {
	if f := s.take(operation); f != NoFault {
		return f
	}
	in, ok := s.books.Intents[id]
	if !ok || operation != "confirm" {
		return NoFault
	}
	s.books.Tries[id]++
	return methodFault(in.Method, s.books.Tries[id])
}

func (s *Simulator) take(operation string) Fault {
	queue := s.faults[operation]
	if len(queue) == 0 {
		return NoFault
	}
	s.faults[operation] = queue[1:]
	return queue[0]
}

func (s *Simulator) slow(operation, id string) bool {
	in, ok := s.books.Intents[id]
	return ok && operation == "confirm" && in.Method == MethodSlow
}

// admit checks the API key.
func (s *Simulator) admit(w http.ResponseWriter, r *http.Request) bool {
	api, _, err := s.cfg.Keys()
	if err != nil {
		write(w, http.StatusInternalServerError, failure{Type: "api_error", Message: "no keys"}.body())
		return false
	}
	got, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || got != api {
		write(w, http.StatusUnauthorized, failure{Type: "invalid_request_error", Message: "Invalid API Key provided."}.body())
		return false
	}
	return true
}

// failure is Stripe's error object.
type failure struct {
	Type          string `json:"type"`
	Code          string `json:"code,omitempty"`
	DeclineCode   string `json:"decline_code,omitempty"`
	Message       string `json:"message"`
	Param         string `json:"param,omitempty"`
	PaymentIntent any    `json:"payment_intent,omitempty"`
}

func (f failure) body() []byte { return encode(map[string]failure{"error": f}) }

func refuse(status int, f failure) reply {
	return reply{status: status, body: map[string]failure{"error": f}}
}

func encode(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil { // maps, strings and numbers always encode
		return []byte(fmt.Sprintf(`{"error":{"type":"api_error","message":%q}}`, err.Error()))
	}
	return text
}

func write(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Request-Id", "req_"+rand.Text()[:14])
	w.WriteHeader(status)
	_, _ = w.Write(body) // fails if the client has gone
}
