package secrets_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/secrets"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// store is a remote store whose answers a test can change, slow down or break.
type store struct {
	calls atomic.Int32
	value atomic.Value // string
	delay time.Duration
	err   error
}

func (s *store) Get(ctx context.Context, _ string) ([]byte, error) {
	if s.calls.Add(1); s.delay > 0 {
		select {
		case <-time.After(s.delay):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if s.err != nil {
		return nil, s.err
	}
	value, _ := s.value.Load().(string)
	return []byte(value), nil
}

func open(t *testing.T, value string, st *store, cfg secrets.Config) *secrets.Secret[string] {
	t.Helper()
	source, err := secrets.ParseSource(variable, value)
	if err != nil {
		t.Fatal(err)
	}
	st.value.Store("v1")
	decode := func(data []byte) (string, error) {
		if string(data) == "broken" {
			return "", secrets.ErrDecode
		}
		return string(data), nil
	}
	secret, err := secrets.Open(t.Context(), source, st, decode, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func TestRefreshAfterSoftAge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		st := &store{}
		secret := open(t, secretARN, st, secrets.Config{})
		st.value.Store("v2")

		time.Sleep(5*time.Minute - time.Nanosecond)
		if got := secret.Get(t.Context()); got != "v1" || st.calls.Load() != 1 {
			t.Errorf("before the soft age: %q after %d calls, want v1 after 1", got, st.calls.Load())
		}
		time.Sleep(time.Nanosecond)
		if got := secret.Get(t.Context()); got != "v2" {
			t.Errorf("at the soft age: %q, want v2", got)
		}
		secret.Get(t.Context())
		if got := st.calls.Load(); got != 2 {
			t.Errorf("%d calls, want 2", got)
		}
	})
}

func TestLastGoodIsKept(t *testing.T) {
	t.Parallel()

	for name, disturb := range map[string]func(*store){
		"StoreFails":  func(s *store) { s.err = errors.New("denied") },
		"StoreHangs":  func(s *store) { s.delay = time.Hour },
		"BrokenValue": func(s *store) { s.value.Store("broken") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				st := &store{}
				secret := open(t, secretARN, st, secrets.Config{})
				disturb(st)
				time.Sleep(5 * time.Minute)

				var out bytes.Buffer
				log, err := logging.New(logging.Config{}, &out)
				if err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				for range 10 { // the failed attempt is paid for once
					if got := secret.Get(logging.With(t.Context(), log)); got != "v1" {
						t.Errorf("got %q, want v1", got)
					}
				}
				if took := time.Since(start); took > 200*time.Millisecond {
					t.Errorf("requests waited %v, want 200ms at most", took)
				}
				if st.calls.Load() != 2 {
					t.Errorf("%d calls, want 2", st.calls.Load())
				}
				if n := strings.Count(out.String(), variable); n != 1 {
					t.Errorf("logged %d times: %s", n, out.String())
				}

				st.err, st.delay = nil, 0
				st.value.Store("v2")
				time.Sleep(30 * time.Second)
				if got := secret.Get(t.Context()); got != "v2" {
					t.Errorf("after the pause: %q, want v2", got)
				}
			})
		})
	}
}

// A caller that can do without the value starts without it, and has it when the store is back.
func TestGetBeforeTheFirstLoad(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ source, after string }{
		"ARN":    {secretARN, "v1"},
		"Inline": {`{"not":"right"}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				source, err := secrets.ParseSource(variable, tc.source)
				if err != nil {
					t.Fatal(err)
				}
				st := &store{err: errors.New("unavailable")}
				st.value.Store("v1")
				secret, err := secrets.New(source, st, func(data []byte) (string, error) {
					if string(data) != "v1" {
						return "", secrets.ErrDecode
					}
					return string(data), nil
				}, secrets.Config{})
				if err != nil {
					t.Fatal(err)
				}
				if err := secret.Load(t.Context()); err == nil {
					t.Error("a load without a value succeeded")
				}
				if got := secret.Get(t.Context()); got != "" {
					t.Errorf("before the first value: %q", got)
				}
				st.err = nil
				time.Sleep(secrets.RetryAfter)
				if got := secret.Get(t.Context()); got != tc.after {
					t.Errorf("after the outage: %q, want %q", got, tc.after)
				}
			})
		})
	}
}

func TestOneRequestRefreshesAndTheOthersDoNotWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		st := &store{}
		secret := open(t, secretARN, st, secrets.Config{})
		st.value.Store("v2")
		st.delay = 100 * time.Millisecond
		time.Sleep(5 * time.Minute)

		var waited atomic.Int32
		var group sync.WaitGroup
		for range 50 {
			group.Go(func() {
				start := time.Now()
				got := secret.Get(t.Context())
				if time.Since(start) == 0 && got == "v1" {
					return
				}
				waited.Add(1)
				if got != "v2" {
					t.Errorf("the refreshing request got %q, want v2", got)
				}
			})
		}
		group.Wait()
		if waited.Load() != 1 || st.calls.Load() != 2 {
			t.Errorf("%d requests waited, %d calls; want 1 and 2", waited.Load(), st.calls.Load())
		}
	})
}

func TestFileIsReadAgain(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct{ set, age time.Duration }{
		"AfterASecond":  {age: time.Second},
		"AsConfigured":  {set: time.Minute, age: time.Minute},
		"NotOfNegative": {set: -1, age: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "secret")
			write := func(s string) {
				if err := os.WriteFile(path, []byte(s), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write("v1")
			now := time.Unix(0, 0)
			secret := open(t, "file:"+path, &store{}, secrets.Config{Clock: func() time.Time { return now }, SoftAge: tt.set})
			write("v2")
			now = now.Add(tt.age - 1)
			if got := secret.Get(t.Context()); got != "v1" {
				t.Errorf("got %q, want v1", got)
			}
			now = now.Add(1)
			if got := secret.Get(t.Context()); got != "v2" {
				t.Errorf("got %q, want v2", got)
			}
		})
	}
}

func TestInlineIsNeverRefreshed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		st := &store{}
		secret := open(t, `["v1"]`, st, secrets.Config{})
		time.Sleep(24 * time.Hour)
		if got := secret.Get(t.Context()); got != `["v1"]` || st.calls.Load() != 0 {
			t.Errorf("got %q after %d calls", got, st.calls.Load())
		}
	})
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()

	st := &store{}
	secret := open(t, secretARN, st, secrets.Config{SoftAge: time.Nanosecond})
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 200 {
				if got := secret.Get(t.Context()); got != "v1" {
					t.Errorf("got %q", got)
				}
			}
		})
	}
	group.Wait()
}

func BenchmarkGet(b *testing.B) {
	source, err := secrets.ParseSource(variable, secretARN)
	if err != nil {
		b.Fatal(err)
	}
	secret, err := secrets.Open(b.Context(), source, getter{data: "x"}, text, secrets.Config{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		secret.Get(b.Context())
	}
}
