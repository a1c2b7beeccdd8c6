package password

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// The highest parameters that a stored hash may have. argon2 panics on zeros, and allocates as much
// memory as the parameters ask for.
const (
	MaxMemoryKiB = 128 << 10
	MaxPasses    = 10
	MaxLanes     = 4
)

const (
	saltLength = 16 // bytes
	tagLength  = 32 // bytes

	argon2idPrefix = "$argon2id$"
	// maxEncoded is the longest stored hash that is parsed, in bytes.
	maxEncoded = 512
)

// ErrHash is returned for a stored hash that is neither a PHC string of argon2id within the caps nor
// a bcrypt hash. Its text contains no part of the hash.
var ErrHash = errors.New("password: not a usable hash")

// Params are the cost of an argon2id hash. A zero field is the default.
type Params struct {
	// MemoryKiB is in KiB. Default 19456 (19 MiB), at most MaxMemoryKiB.
	MemoryKiB uint32
	// Passes is the number of passes over the memory. Default 2, at most MaxPasses.
	Passes uint32
	// Lanes is the degree of parallelism. Default 1, at most MaxLanes.
	Lanes uint8
}

func (p Params) withDefaults() Params {
	if p.MemoryKiB == 0 {
		p.MemoryKiB = 19456
	}
	if p.Passes == 0 {
		p.Passes = 2
	}
	if p.Lanes == 0 {
		p.Lanes = 1
	}
	return p
}

func (p Params) valid() bool {
	return p.Lanes >= 1 && p.Lanes <= MaxLanes && p.Passes >= 1 && p.Passes <= MaxPasses &&
		p.MemoryKiB >= 8*uint32(p.Lanes) && p.MemoryKiB <= MaxMemoryKiB
}

// Config tunes a Hasher. Its zero value works.
type Config struct {
	// Params is the cost of new hashes.
	Params Params
	// AtOnce is how many passwords are hashed at the same time; others wait. Each takes
	// Params.MemoryKiB. Default runtime.GOMAXPROCS(0), which is 1 in a small Lambda function.
	AtOnce int
}

// Hasher makes and checks hashes. It is safe for concurrent use.
type Hasher struct {
	params Params
	slots  chan struct{}
	dummy  string
}

// New returns a Hasher. It refuses parameters beyond the caps.
func New(cfg Config) (*Hasher, error) {
	params := cfg.Params.withDefaults()
	if !params.valid() {
		return nil, fmt.Errorf("password: argon2id parameters %+v are not within the caps", params)
	}
	if cfg.AtOnce <= 0 {
		cfg.AtOnce = runtime.GOMAXPROCS(0)
	}
	return &Hasher{
		params: params,
		slots:  make(chan struct{}, cfg.AtOnce),
		// A random tag is enough: no password is known for it.
		dummy: phc{Params: params, salt: random(saltLength), tag: random(tagLength)}.String(),
	}, nil
}

// Default returns the Hasher of the zero Config.
func Default() *Hasher {
	h, err := New(Config{})
	if err != nil {
		panic(err) // the defaults are within the caps
	}
	return h
}

// Hash returns the PHC string of the password under a new salt. It fails only when ctx ends
// while it waits for its turn.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	if err := h.enter(ctx); err != nil {
		return "", err
	}
	defer h.leave()
	p := phc{Params: h.params, salt: random(saltLength)}
	p.tag = p.derive(password, tagLength)
	return p.String(), nil
}

// Result is the result of Verify.
type Result struct {
	// Match reports that the password is the one that was hashed.
	Match bool
	// Outdated reports that the hash was not made with the configured parameters: after a match it
	// should be replaced with a new one.
	Outdated bool
}

// Verify compares the password with a stored hash, argon2id or bcrypt, in time that does not depend
// on where they differ. It returns ErrHash for a hash that is neither, or that asks for more than the
// caps allow. Otherwise it fails only when ctx ends while it waits for its turn.
func (h *Hasher) Verify(ctx context.Context, encoded, password string) (Result, error) {
	if isBcrypt(encoded) {
		return h.verifyBcrypt(ctx, encoded, password)
	}
	p, err := parse(encoded)
	if err != nil {
		return Result{}, err
	}
	if err := h.enter(ctx); err != nil {
		return Result{}, err
	}
	defer h.leave()
	match := subtle.ConstantTimeCompare(p.derive(password, len(p.tag)), p.tag) == 1
	return Result{
		Match:    match,
		Outdated: p.Params != h.params || len(p.salt) != saltLength || len(p.tag) != tagLength,
	}, nil
}

// Dummy returns a hash with the configured parameters that no password matches. Verifying it takes as
// long as a real hash: a login to an account that does not exist verifies it.
func (h *Hasher) Dummy() string { return h.dummy }

func (h *Hasher) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *Hasher) leave() { <-h.slots }

// phc is a parsed PHC string of argon2id.
type phc struct {
	Params

	salt, tag []byte
}

func (p phc) derive(password string, length int) []byte {
	return argon2.IDKey([]byte(password), p.salt, p.Passes, p.MemoryKiB, p.Lanes, uint32(length))
}

// String returns the PHC string, with base64 without padding.
func (p phc) String() string {
	return fmt.Sprintf("%sv=%d$m=%d,t=%d,p=%d$%s$%s", argon2idPrefix, argon2.Version, p.MemoryKiB, p.Passes, p.Lanes,
		base64.RawStdEncoding.EncodeToString(p.salt), base64.RawStdEncoding.EncodeToString(p.tag))
}

// parse reads what String writes, and nothing else.
func parse(encoded string) (phc, error) {
	rest, ok := strings.CutPrefix(encoded, argon2idPrefix)
	if strings.ContainsAny(rest, "\r\n") { // base64 skips them
		return phc{}, ErrHash
	}
	parts := strings.Split(rest, "$")
	if !ok || len(encoded) > maxEncoded || len(parts) != 4 || parts[0] != "v="+strconv.Itoa(argon2.Version) {
		return phc{}, ErrHash
	}
	var p phc
	params := strings.Split(parts[1], ",")
	if len(params) != 3 {
		return phc{}, ErrHash
	}
	memory, okM := number(params[0], "m=", 32)
	passes, okT := number(params[1], "t=", 32)
	lanes, okP := number(params[2], "p=", 8)
	p.MemoryKiB, p.Passes, p.Lanes = uint32(memory), uint32(passes), uint8(lanes)
	if !okM || !okT || !okP || !p.valid() {
		return phc{}, ErrHash
	}
	var errSalt, errTag error
	p.salt, errSalt = base64.RawStdEncoding.Strict().DecodeString(parts[2])
	p.tag, errTag = base64.RawStdEncoding.Strict().DecodeString(parts[3])
	if errSalt != nil || errTag != nil || len(p.salt) < 8 || len(p.salt) > 64 || len(p.tag) < 16 || len(p.tag) > 64 {
		return phc{}, ErrHash
	}
	return p, nil
}

// number reads a decimal number after prefix. It refuses signs and leading zeros.
func number(s, prefix string, bits int) (uint64, bool) {
	digits, ok := strings.CutPrefix(s, prefix)
	n, err := strconv.ParseUint(digits, 10, bits)
	return n, ok && err == nil && strconv.FormatUint(n, 10) == digits
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // Read never returns an error: it ends the process instead
	return b
}
