package secrets

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/tienda-dev/tienda/shared/clock"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/metrics"
)

// RetryAfter is the pause after a failed refresh: requests in this time do not pay for another attempt. It is
// shorter than awsclient.IdleTimeout: if the time ran out while connecting, net/http finishes the connection in the
// background, and the next attempt finds it open.
const RetryAfter = 15 * time.Second

// refreshTimeout bounds what a refresh may add to one request.
const refreshTimeout = 200 * time.Millisecond

// Config tunes how a Secret is refreshed. Its zero value works.
type Config struct {
	// SoftAge is the age from which a request refreshes the secret. Default 5 minutes; 1 s for a
	// file, because reading it needs no call to AWS.
	SoftAge time.Duration
	// Clock returns the time. Default time.Now.
	Clock func() time.Time
}

func (c Config) withDefaults(kind sourceKind) Config {
	if c.SoftAge <= 0 {
		c.SoftAge = 5 * time.Minute
		if kind == kindFile {
			c.SoftAge = time.Second
		}
	}
	now := c.Clock
	if now == nil {
		now = time.Now
	}
	c.Clock = clock.Wall(now)
	return c
}

// Secret holds the decoded value of a secret. It starts no goroutine and is safe for concurrent
// use.
type Secret[T any] struct {
	source Source
	getter Getter
	decode func([]byte) (T, error)
	cfg    Config
	// cache is the secret's name in metrics: that of its variable, in lower case.
	cache string

	value      atomic.Pointer[T]
	pause      atomic.Pointer[pause]
	refreshing sync.Mutex // held by the one request that refreshes
	sized      atomic.Bool
}

// pause is how long from when on nothing is read.
type pause struct {
	from time.Time
	age  time.Duration
}

// Open reads and decodes the secret, at INIT and within ctx: New and Load in one.
func Open[T any](ctx context.Context, source Source, getter Getter, decode func([]byte) (T, error), cfg Config) (*Secret[T], error) {
	s, err := New(source, getter, decode, cfg)
	if err != nil {
		return nil, err
	}
	if err := s.Load(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// New returns a secret without a value: call Load before Get. getter may be nil if source is not an ARN. decode must not
// put bytes of the secret into its errors.
func New[T any](source Source, getter Getter, decode func([]byte) (T, error), cfg Config) (*Secret[T], error) {
	if decode == nil {
		return nil, errors.New("secrets: no decode function")
	}
	return &Secret[T]{
		source: source, getter: getter, decode: decode, cfg: cfg.withDefaults(source.kind), cache: strings.ToLower(source.name),
	}, nil
}

// Get returns the value. When it is older than the soft age, the calling request refreshes it
// first, for at most 200 ms; parallel requests get the old value at once. After a failed
// refresh, which is logged, the last good value stays in use. Until a Load or a refresh has succeeded, that is the zero
// value of T.
func (s *Secret[T]) Get(ctx context.Context) T {
	result := metrics.CacheHit
	if s.due() {
		result = metrics.CacheStale
		if s.refreshing.TryLock() {
			defer s.refreshing.Unlock()
			result = metrics.CacheHit
			if s.due() { // not refreshed by another request in the meantime
				result = s.refresh(ctx)
			}
		}
	}
	m := metrics.From(ctx)
	m.Cache(ctx, s.cache, result)
	value := s.value.Load()
	if value == nil {
		var none T
		return none
	}
	if m != nil && !s.sized.Swap(true) { // there is one value from now on
		m.CacheSize(ctx, s.cache, 1, 0)
	}
	return *value
}

func (s *Secret[T]) due() bool {
	p := s.pause.Load()
	return p == nil || s.source.kind != kindInline && !clock.Fresh(p.from, s.cfg.Clock(), p.age)
}

// refresh reads the secret and returns the cache's result: a miss, or an error after which the old value is used.
func (s *Secret[T]) refresh(ctx context.Context) string {
	start := s.cfg.Clock()
	limited, cancel := context.WithTimeout(ctx, refreshTimeout)
	defer cancel()
	err := s.Load(limited)
	metrics.From(ctx).CacheLoaded(ctx, s.cache, max(0, s.cfg.Clock().Sub(start)), err)
	if err != nil {
		s.pause.Store(&pause{s.cfg.Clock(), RetryAfter})
		message := "secret not refreshed, the last good value stays in use"
		if s.value.Load() == nil {
			message = "secret not read, there is no value yet"
		}
		logging.From(ctx).Warn(message, zap.Error(err))
		return metrics.CacheError
	}
	return metrics.CacheMiss
}

// Load reads and decodes the secret within ctx. Its errors name the variable.
func (s *Secret[T]) Load(ctx context.Context) error {
	data, err := s.source.read(ctx, s.getter)
	if err != nil {
		return fmt.Errorf("secrets: read %s: %w", s.source, err)
	}
	value, err := s.decode(data)
	if err != nil {
		return fmt.Errorf("secrets: decode %s: %w", s.source, err)
	}
	s.value.Store(&value)
	s.pause.Store(&pause{s.cfg.Clock(), s.cfg.SoftAge})
	return nil
}
