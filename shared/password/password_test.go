package password_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
	"pgregory.net/rapid"

	"github.com/tienda-dev/tienda/shared/password"
)

// cheap returns the fastest parameters.
func cheap() password.Params { return password.Params{MemoryKiB: 64, Passes: 1, Lanes: 1} }

func newHasher(t testing.TB, cfg password.Config) *password.Hasher {
	t.Helper()
	h, err := password.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestDefaultsFollowOWASP(t *testing.T) {
	t.Parallel()
	h := newHasher(t, password.Config{})
	encoded, err := h.Hash(t.Context(), "correct horse battery staple")
	if err != nil {
		t.Fatal(err)
	}
	const want = "$argon2id$v=19$m=19456,t=2,p=1$"
	if !strings.HasPrefix(encoded, want) || !strings.HasPrefix(h.Dummy(), want) {
		t.Errorf("hash %s and dummy %s, want both in %s", encoded, h.Dummy(), want)
	}
	if len(encoded) != len(h.Dummy()) {
		t.Errorf("dummy %s and hash %s differ in length", h.Dummy(), encoded)
	}
	got, err := h.Verify(t.Context(), encoded, "correct horse battery staple")
	if want := (password.Result{Match: true}); err != nil || got != want {
		t.Errorf("Verify: %+v, %v; want %+v", got, err, want)
	}
}

func TestOnlyTheSamePasswordMatches(t *testing.T) {
	t.Parallel()
	h := newHasher(t, password.Config{Params: cheap()})
	rapid.Check(t, func(rt *rapid.T) {
		right, wrong := rapid.String().Draw(rt, "right"), rapid.String().Draw(rt, "wrong")
		encoded, err := h.Hash(t.Context(), right)
		if err != nil {
			rt.Fatal(err)
		}
		for p, want := range map[string]bool{
			wrong: wrong == right, right: true, right + " ": false, " " + right: false, right + "\x00": false,
		} {
			if got, err := h.Verify(t.Context(), encoded, p); err != nil || got.Match != want || got.Outdated {
				rt.Errorf("%q against the hash of %q: %+v, %v", p, right, got, err)
			}
		}
	})
}

func TestLongPasswordIsNotTruncated(t *testing.T) {
	t.Parallel()
	h := newHasher(t, password.Config{Params: cheap()})
	long := strings.Repeat("x", 10_000)
	encoded, err := h.Hash(t.Context(), long+"1")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := h.Verify(t.Context(), encoded, long+"2"); err != nil || got.Match {
		t.Errorf("the 10001st byte is ignored: %+v, %v", got, err)
	}
}

func TestTwoHashesOfOnePasswordDiffer(t *testing.T) {
	t.Parallel()
	h := newHasher(t, password.Config{Params: cheap()})
	a, _ := h.Hash(t.Context(), "same")
	b, _ := h.Hash(t.Context(), "same")
	if a == b {
		t.Error("the salt is not random")
	}
}

func TestOtherParametersAreOutdated(t *testing.T) {
	t.Parallel()
	now := newHasher(t, password.Config{Params: cheap()})
	for name, params := range map[string]password.Params{
		"LessMemory": {MemoryKiB: 32, Passes: 1, Lanes: 1},
		"MorePasses": {MemoryKiB: 64, Passes: 2, Lanes: 1},
		"MoreLanes":  {MemoryKiB: 64, Passes: 1, Lanes: 2},
	} {
		encoded, err := newHasher(t, password.Config{Params: params}).Hash(t.Context(), "a password")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := now.Verify(t.Context(), encoded, "a password"); err != nil || got != (password.Result{Match: true, Outdated: true}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if got, err := now.Verify(t.Context(), encoded, "another"); err != nil || got.Match {
			t.Errorf("%s: a wrong password: %+v, %v", name, got, err)
		}
	}
}

// The hash is the output of `echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1 -e`, from the tests
// of the reference implementation (https://github.com/P-H-C/phc-winner-argon2, src/test.c).
func TestHashesOfOtherImplementationsMatch(t *testing.T) {
	t.Parallel()
	h := newHasher(t, password.Config{})
	const encoded = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	if got, err := h.Verify(t.Context(), encoded, "password"); err != nil || got != (password.Result{Match: true, Outdated: true}) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestDummyMatchesNothing(t *testing.T) {
	t.Parallel()
	h := newHasher(t, password.Config{Params: cheap()})
	for _, p := range []string{"", "password", h.Dummy()} {
		if got, err := h.Verify(t.Context(), h.Dummy(), p); err != nil || got != (password.Result{}) {
			t.Errorf("%q: %+v, %v", p, got, err)
		}
	}
	if newHasher(t, password.Config{Params: cheap()}).Dummy() == h.Dummy() {
		t.Error("two hashers have the same dummy")
	}
}

func TestVerifyRefusesStoredHashes(t *testing.T) {
	t.Parallel()
	h := newHasher(t, password.Config{Params: cheap()})
	const salt, tag = "c29tZXNhbHRzb21lc2FsdA", "nPSBBVFTqSNkcy9dfxc6oFPWtMTAHfNc3JWUMCPtLdw"
	for name, encoded := range map[string]string{
		"Empty":           "",
		"Plain":           "a password",
		"Argon2i":         "$argon2i$v=19$m=64,t=1,p=1$" + salt + "$" + tag,
		"Argon2d":         "$argon2d$v=19$m=64,t=1,p=1$" + salt + "$" + tag,
		"OldVersion":      "$argon2id$v=16$m=64,t=1,p=1$" + salt + "$" + tag,
		"NoVersion":       "$argon2id$m=64,t=1,p=1$" + salt + "$" + tag,
		"TooMuchMemory":   "$argon2id$v=19$m=131073,t=1,p=1$" + salt + "$" + tag,
		"HugeMemory":      "$argon2id$v=19$m=4294967295,t=1,p=1$" + salt + "$" + tag,
		"OverflowMemory":  "$argon2id$v=19$m=4294967360,t=1,p=1$" + salt + "$" + tag,
		"TooLittleMemory": "$argon2id$v=19$m=7,t=1,p=1$" + salt + "$" + tag,
		"MemoryForLanes":  "$argon2id$v=19$m=31,t=1,p=4$" + salt + "$" + tag,
		"NoPass":          "$argon2id$v=19$m=64,t=0,p=1$" + salt + "$" + tag, // argon2 panics on these
		"NoLane":          "$argon2id$v=19$m=64,t=1,p=0$" + salt + "$" + tag,
		"TooManyPasses":   "$argon2id$v=19$m=64,t=11,p=1$" + salt + "$" + tag,
		"TooManyLanes":    "$argon2id$v=19$m=64,t=1,p=5$" + salt + "$" + tag,
		"OverflowLanes":   "$argon2id$v=19$m=64,t=1,p=257$" + salt + "$" + tag,
		"LeadingZero":     "$argon2id$v=19$m=064,t=1,p=1$" + salt + "$" + tag,
		"Sign":            "$argon2id$v=19$m=+64,t=1,p=1$" + salt + "$" + tag,
		"OtherOrder":      "$argon2id$v=19$t=1,m=64,p=1$" + salt + "$" + tag,
		"MoreParameters":  "$argon2id$v=19$m=64,t=1,p=1,keyid=x$" + salt + "$" + tag,
		"ShortSalt":       "$argon2id$v=19$m=64,t=1,p=1$c2FsdA$" + tag,
		"ShortTag":        "$argon2id$v=19$m=64,t=1,p=1$" + salt + "$c2FsdA",
		"NoTag":           "$argon2id$v=19$m=64,t=1,p=1$" + salt,
		"EmptyTag":        "$argon2id$v=19$m=64,t=1,p=1$" + salt + "$",
		"Padding":         "$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + tag + "=",
		"LineEnd":         "$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + tag + "\n",
		"TrailingBits":    "$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + tag[:len(tag)-1] + "x",
		"ExtraPart":       "$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + tag + "$x",
		"TooLong":         "$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + strings.Repeat("A", 600),
		"BcryptCost":      "$2a$15$abcdefghijklmnopqrstuuXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX",
		"BcryptCostOne":   "$2a$01$abcdefghijklmnopqrstuuXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX",
		"BcryptShort":     "$2a$04$abcdefghijklmnopqrstuu",
		"BcryptLong":      "$2a$04$abcdefghijklmnopqrstuuXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX",
		"BcryptNoCost":    "$2a$xx$abcdefghijklmnopqrstuuXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX",
		"BcryptBadSalt":   "$2a$04$abcdefghijklmnopq!stuuXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX",
		"BcryptOtherKind": "$2x$04$abcdefghijklmnopqrstuuXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := h.Verify(t.Context(), encoded, "a password")
			if !errors.Is(err, password.ErrHash) || got != (password.Result{}) {
				t.Fatalf("%+v, %v; want ErrHash", got, err)
			}
			if encoded != "" && strings.Contains(err.Error(), encoded) {
				t.Errorf("the error contains the hash: %v", err)
			}
		})
	}
}

func TestBcrypt(t *testing.T) {
	t.Parallel()
	h := newHasher(t, password.Config{Params: cheap()})
	hash := func(p string) string {
		encoded, err := bcrypt.GenerateFromPassword([]byte(p), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		return string(encoded)
	}
	full := strings.Repeat("x", 72)
	for name, tc := range map[string]struct {
		hash, password string
		match          bool
	}{
		"Match":                {hash("a password"), "a password", true},
		"PrefixOfPHP":          {"$2y$" + hash("a password")[4:], "a password", true},
		"PrefixOfBSD":          {"$2b$" + hash("a password")[4:], "a password", true},
		"Wrong":                {hash("a password"), "another", false},
		"LongestMatches":       {hash(full), full, true},
		"LongerIsNotTruncated": {hash(full), full + "y", false},
		"MuchLonger":           {hash(full), full + full, false},
		"Shorter":              {hash(full), full[:71], false},
		"RepeatedAfterZero":    {hash("abcd"), "abcd\x00abcd", false},
		"EmptyPassword":        {hash("a password"), "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := password.Result{Match: tc.match, Outdated: true}
			if got, err := h.Verify(t.Context(), tc.hash, tc.password); err != nil || got != want {
				t.Errorf("%+v, %v; want %+v", got, err, want)
			}
		})
	}
}

func TestNewRefusesParametersBeyondTheCaps(t *testing.T) {
	t.Parallel()
	for name, params := range map[string]password.Params{
		"Memory":       {MemoryKiB: password.MaxMemoryKiB + 1},
		"Passes":       {Passes: password.MaxPasses + 1},
		"Lanes":        {Lanes: password.MaxLanes + 1},
		"LittleMemory": {MemoryKiB: 8, Lanes: 2},
	} {
		if _, err := password.New(password.Config{Params: params}); err == nil {
			t.Errorf("%s: %+v is accepted", name, params)
		}
	}
}

func TestWaitingForATurnEndsWithTheContext(t *testing.T) {
	t.Parallel()
	h := newHasher(t, password.Config{Params: password.Params{MemoryKiB: password.MaxMemoryKiB, Passes: 3}, AtOnce: 1})
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		_, _ = h.Hash(t.Context(), "a slow hash")
	})
	time.AfterFunc(50*time.Millisecond, cancel)
	time.Sleep(20 * time.Millisecond)
	if _, err := h.Hash(ctx, "waits"); !errors.Is(err, context.Canceled) {
		t.Errorf("Hash: %v, want %v", err, context.Canceled)
	}
	for name, encoded := range map[string]string{"argon2id": h.Dummy(), "bcrypt": "$2a$04$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyz01234"} {
		if _, err := h.Verify(ctx, encoded, "waits"); !errors.Is(err, context.Canceled) {
			t.Errorf("Verify of %s: %v, want %v", name, err, context.Canceled)
		}
	}
	wg.Wait()
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	h := newHasher(t, password.Config{Params: cheap(), AtOnce: 2})
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			encoded, err := h.Hash(t.Context(), "a password")
			if err != nil {
				t.Error(err)
			}
			if got, err := h.Verify(t.Context(), encoded, "a password"); err != nil || !got.Match {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	wg.Wait()
}

func FuzzVerify(f *testing.F) {
	h, err := password.New(password.Config{Params: cheap()})
	if err != nil {
		f.Fatal(err)
	}
	good, err := h.Hash(f.Context(), "a password")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{good, "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA", "$2a$04$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyz01234", "$argon2id$", "$2a$"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, encoded string) {
		// Skip hashes with high cost: they would slow the fuzzer.
		if strings.Contains(encoded, "m=") && len(encoded) > 24 && !strings.HasPrefix(encoded, "$argon2id$v=19$m=64,t=1,p=1$") &&
			!strings.HasPrefix(encoded, "$argon2id$v=19$m=8,t=1,p=1$") || strings.HasPrefix(encoded, "$2") && !strings.HasPrefix(encoded[2:], "a$04$") {
			return
		}
		got, err := h.Verify(t.Context(), encoded, "a password")
		if err != nil && !errors.Is(err, password.ErrHash) {
			t.Errorf("%q: %v", encoded, err)
		}
		if err != nil && got != (password.Result{}) {
			t.Errorf("%q: got %+v and an error", encoded, got)
		}
	})
}

func BenchmarkHash(b *testing.B) {
	h := newHasher(b, password.Config{})
	for b.Loop() {
		if _, err := h.Hash(b.Context(), "correct horse battery staple"); err != nil {
			b.Fatal(err)
		}
	}
}
