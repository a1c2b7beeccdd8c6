package idempotency_test

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/idempotency/idempotencyddb"
	"github.com/tienda-dev/tienda/shared/idempotency/idempotencymem"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/middleware"
)

// IssueVoucherRoute is the operation. Its requests need an idempotency key.
var IssueVoucherRoute = api.Route{
	Name: "issue-voucher", Method: http.MethodPost, Path: "/v1/vouchers",
	Auth: api.Required, Rate: api.Unlimited, Idempotency: api.KeyRequired,
}

// Voucher is what the client reads.
type Voucher struct {
	ID          string `json:"id"`
	AmountMinor int64  `json:"amount_minor"`
}

// Store stores vouchers.
type Store interface {
	// Add stores the voucher and the record in one transaction. It returns *idempotency.UsedError for a key that is in use.
	Add(ctx context.Context, r idempotency.Record, v Voucher) error
}

// Issue issues a voucher.
func Issue(ctx context.Context, store Store, now time.Time, amountMinor int64) (Voucher, error) {
	v := Voucher{ID: rand.Text(), AmountMinor: amountMinor}
	record, err := idempotency.Done(ctx, now, http.StatusCreated, nil, v) // the final answer
	if err != nil {
		return Voucher{}, err
	}
	return v, store.Add(ctx, record, v)
}

// Table is the Store on DynamoDB.
type Table struct {
	table *ddb.Table
}

// NewTable returns a Store on the table.
func NewTable(table *ddb.Table) *Table { return &Table{table: table} }

type voucherItem struct {
	PK          string `dynamodbav:"PK"`
	SK          string `dynamodbav:"SK"`
	AmountMinor int64  `dynamodbav:"amount_minor"`
}

var errTaken = errors.New("the id is taken")

// Add implements Store.
func (t *Table) Add(ctx context.Context, r idempotency.Record, v Voucher) error {
	writes := idempotencyddb.Write(t.table, r) // first
	writes = append(writes, t.table.Put(voucherItem{"VOUCHER#" + v.ID, "META", v.AmountMinor}).If(ddb.Absent(), errTaken))
	return ddb.Commit(ctx, t.table.Client(), writes...)
}

type voucherRequest struct {
	AmountMinor int64 `json:"amount_minor"`
}

// IssueVoucher answers 201 with a new voucher.
func IssueVoucher(store Store, now func() time.Time) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		in, err := api.Decode[voucherRequest](r)
		if err != nil {
			return err
		}
		v, err := Issue(r.Context(), store, now(), in.AmountMinor)
		if err != nil {
			return err
		}
		return api.Write(w, http.StatusCreated, v)
	}
}

// memory is a Store in memory.
type memory struct {
	idempotencymem.Store

	mu     sync.Mutex
	issued int
}

func (m *memory) Add(_ context.Context, r idempotency.Record, _ Voucher) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.Put(r); err != nil {
		return err
	}
	m.issued++
	return nil
}

// A request that is sent 20 times at once, and then again, issues one voucher.
func TestRepeatedRequestIssuesOneVoucher(t *testing.T) {
	t.Parallel()
	store, now := &memory{}, start
	cfg := middleware.Config{Authenticator: func(*http.Request) (identity.Annotation, error) {
		return identity.Annotation{Outcome: identity.OK, Identity: identity.Identity{Subject: "u1"}}, nil
	}}
	var records idempotency.Store = store
	cfg.Idempotency = idempotency.Middleware(records, now)
	h, err := middleware.Chain(IssueVoucherRoute, cfg, IssueVoucher(store, now))
	if err != nil {
		t.Fatal(err)
	}
	send := func(body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "/v1/vouchers", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set(idempotency.HeaderKey, "k1")
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		return rec
	}
	bodies := make([]string, 20)
	var group sync.WaitGroup
	for i := range bodies {
		group.Go(func() { bodies[i] = send(`{"amount_minor":500}`).Body.String() })
	}
	group.Wait()
	again := send(`{"amount_minor": 500}`)
	for _, body := range bodies {
		if body != again.Body.String() {
			t.Errorf("got %s and %s", body, again.Body)
		}
	}
	if again.Code != http.StatusCreated || again.Header().Get(idempotency.HeaderReplayed) != "true" || store.issued != 1 {
		t.Errorf("got %d %s, and %d vouchers", again.Code, again.Body, store.issued)
	}
	if other := send(`{"amount_minor":600}`); other.Code != http.StatusUnprocessableEntity {
		t.Errorf("another request with the key: got %d", other.Code)
	}
}

// Every line of Go in docs/idempotency.md is in this file.
func TestTheGuideShowsThisFile(t *testing.T) {
	t.Parallel()
	ours := map[string]bool{}
	for line := range strings.Lines(read(t, "guide_test.go")) {
		ours[strings.TrimSpace(line)] = true
	}
	inGo, shown := false, 0
	for line := range strings.Lines(read(t, filepath.Join("..", "..", "docs", "idempotency.md"))) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "```"):
			inGo = line == "```go"
		case inGo && line != "" && !ours[line]:
			t.Errorf("the guide shows a line that is not tested: %s", line)
		case inGo:
			shown++
		}
	}
	if shown == 0 {
		t.Error("the guide shows no Go")
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
