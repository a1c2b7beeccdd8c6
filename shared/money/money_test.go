package money_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/problem"
)

func eur(amountMinor int64) money.Money {
	return money.Money{AmountMinor: amountMinor, Currency: "EUR"}
}

func TestExponent(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]int{
		"EUR": 2, "USD": 2, "MGA": 2, "MRU": 2, "XCG": 2, "AED": 2, "ZWG": 2,
		"JPY": 0, "KRW": 0, "ISK": 0, "XPF": 0, "BIF": 0,
		"KWD": 3, "BHD": 3, "TND": 3,
		"CLF": 4, "UYW": 4,
	} {
		if got, ok := money.Exponent(code); !ok || got != want {
			t.Errorf("Exponent(%s) = %d, %t; want %d", code, got, ok, want)
		}
	}
	for _, code := range []string{
		"", "EU", "EURO", "eur", "Eur", " EU", "R U", "EUR ", "ED ", "ABC", "EDA", // "AED AFN" without its space contains EDA
		"XXX", "XTS", "XAU", "XDR", "BTC", // without a minor unit, or not a code
		"BGN", "HRK", "ANG", "ZWL", "CUC", "SLL", "DEM", // withdrawn
	} {
		if got, ok := money.Exponent(code); ok {
			t.Errorf("Exponent(%q) = %d, want none", code, got)
		}
	}
}

// List one of 2026-09-17 has 17, 139, 7 and 2 codes with the exponents 0, 2, 3 and 4.
func TestExponentKnowsEveryCode(t *testing.T) {
	t.Parallel()
	got := map[int]int{}
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			for c := 'A'; c <= 'Z'; c++ {
				if exponent, ok := money.Exponent(string([]rune{a, b, c})); ok {
					got[exponent]++
				}
			}
		}
	}
	if diff := cmp.Diff(map[int]int{0: 17, 2: 139, 3: 7, 4: 2}, got); diff != "" {
		t.Errorf("codes by exponent (-want +got):\n%s", diff)
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	if got, err := money.New(-5, "EUR"); err != nil || got != eur(-5) {
		t.Errorf("got %v, %v", got, err)
	}
	for _, amount := range []int64{money.MaxAmount + 1, -money.MaxAmount - 1, math.MaxInt64, math.MinInt64} {
		if got, err := money.New(amount, "EUR"); !errors.Is(err, money.ErrOverflow) || got != (money.Money{}) {
			t.Errorf("%d: got %v, %v", amount, got, err)
		}
	}
	if got, err := money.New(-money.MaxAmount, "EUR"); err != nil || got != eur(-money.MaxAmount) {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := money.New(5, "EURO"); !errors.Is(err, money.ErrUnknownCurrency) || got != (money.Money{}) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestValidateNamesTheField(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in   money.Money
		want []problem.FieldError
	}{
		"OK":              {eur(1), nil},
		"Negative":        {eur(-1), nil},
		"NoCurrency":      {money.Money{AmountMinor: 1}, []problem.FieldError{{Pointer: "/price/currency", Detail: "is required"}}},
		"UnknownCurrency": {money.Money{AmountMinor: 1, Currency: "usd"}, []problem.FieldError{{Pointer: "/price/currency", Detail: "must be an active ISO 4217 code in capitals"}}},
		"Largest":         {eur(money.MaxAmount), nil},
		"BothMembers": {money.Money{AmountMinor: 9007199254740993}, []problem.FieldError{
			{Pointer: "/price/currency", Detail: "is required"},
			{Pointer: "/price/amount_minor", Detail: "must be an integer from -9007199254740991 to 9007199254740991"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, c.in.Validate("/price")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestString(t *testing.T) {
	t.Parallel()
	for want, in := range map[string]money.Money{
		"12.50 EUR":                 eur(1250),
		"0.00 EUR":                  eur(0),
		"0.05 EUR":                  eur(5),
		"-0.05 EUR":                 eur(-5),
		"-92233720368547758.08 EUR": eur(math.MinInt64),
		"1250 JPY":                  {AmountMinor: 1250, Currency: "JPY"},
		"-3 JPY":                    {AmountMinor: -3, Currency: "JPY"},
		"0.001 KWD":                 {AmountMinor: 1, Currency: "KWD"},
		"1.2345 CLF":                {AmountMinor: 12345, Currency: "CLF"},
		"0.0000 CLF":                {Currency: "CLF"},
		`7 minor units of "ABC"`:    {AmountMinor: 7, Currency: "ABC"},
	} {
		if got := in.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestCurrenciesDoNotMix(t *testing.T) {
	t.Parallel()
	yen := money.Money{AmountMinor: 1, Currency: "JPY"}
	_, add := eur(1).Add(yen)
	_, sub := eur(1).Sub(yen)
	_, compare := eur(1).Compare(yen)
	for name, err := range map[string]error{"Add": add, "Sub": sub, "Compare": compare} {
		if !errors.Is(err, money.ErrCurrencyMismatch) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Arithmetic gives the same results as math/big, and fails exactly when the result is beyond MaxAmount.
func TestArithmeticAgreesWithBigIntegers(t *testing.T) {
	t.Parallel()
	amounts := rapid.OneOf(
		rapid.Int64(), rapid.Int64Range(-1000, 1000),
		rapid.SampledFrom([]int64{math.MinInt64, 2, math.MinInt64 + 1, -1, 0, 1, math.MaxInt64 - 1, math.MaxInt64, 1 << 32, -1 << 32, money.MaxAmount, money.MaxAmount + 1, -money.MaxAmount, -money.MaxAmount - 1}))
	type operation struct {
		got  func(a, b int64) (money.Money, error)
		want func(z, a, b *big.Int) *big.Int
	}
	for name, op := range map[string]operation{
		"Add": {func(a, b int64) (money.Money, error) { return eur(a).Add(eur(b)) }, (*big.Int).Add},
		"Sub": {func(a, b int64) (money.Money, error) { return eur(a).Sub(eur(b)) }, (*big.Int).Sub},
		"Mul": {func(a, b int64) (money.Money, error) { return eur(a).Mul(b) }, (*big.Int).Mul},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				a, b := amounts.Draw(t, "a"), amounts.Draw(t, "b")
				got, err := op.got(a, b)
				want := op.want(new(big.Int), big.NewInt(a), big.NewInt(b))
				switch {
				case want.CmpAbs(big.NewInt(money.MaxAmount)) > 0:
					if !errors.Is(err, money.ErrOverflow) || got != (money.Money{}) {
						t.Fatalf("got %v, %v; want an overflow: %s", got, err, want)
					}
				case err != nil || got != eur(want.Int64()):
					t.Fatalf("got %v, %v; want %s", got, err, want)
				}
			})
		})
	}
}

// The product has 64 bits, of which int64 reads the first as a sign.
func TestMulOverflowsOnce(t *testing.T) {
	t.Parallel()
	if got, err := eur(math.MaxInt64).Mul(2); !errors.Is(err, money.ErrOverflow) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestCompareOrders(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Int64().Draw(t, "a"), rapid.Int64().Draw(t, "b")
		got, err := eur(a).Compare(eur(b))
		if want := big.NewInt(a).Cmp(big.NewInt(b)); err != nil || got != want {
			t.Fatalf("got %d, %v; want %d", got, err, want)
		}
	})
	if got, err := eur(3).Compare(eur(3)); got != 0 || err != nil {
		t.Errorf("equal amounts: %d, %v", got, err)
	}
}

func TestJSONRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := money.Money{AmountMinor: rapid.Int64Range(-money.MaxAmount, money.MaxAmount).Draw(t, "amount"), Currency: rapid.SampledFrom([]string{"EUR", "JPY", "KWD"}).Draw(t, "currency")}
		data, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got money.Money
		if err := json.Unmarshal(data, &got); err != nil || got != want {
			t.Fatalf("got %v, %v from %s; want %v", got, err, data, want)
		}
	})
	data, err := json.Marshal(eur(1250))
	if want := `{"amount_minor":1250,"currency":"EUR"}`; err != nil || string(data) != want {
		t.Errorf("got %s, %v; want %s", data, err, want)
	}
}

func TestJSONIsStrict(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, field string }{
		"Fraction":         {`{"amount_minor":12.5,"currency":"EUR"}`, "price.amount_minor"},
		"WholeFraction":    {`{"amount_minor":12.0,"currency":"EUR"}`, "price.amount_minor"},
		"Exponent":         {`{"amount_minor":1e3,"currency":"EUR"}`, "price.amount_minor"},
		"String":           {`{"amount_minor":"12","currency":"EUR"}`, "price.amount_minor"},
		"TooLarge":         {`{"amount_minor":9223372036854775808,"currency":"EUR"}`, "price.amount_minor"},
		"CurrencyIsNumber": {`{"amount_minor":12,"currency":978}`, "price.currency"},
		"Number":           {`12`, "price"},
		"Null":             {`null`, "price"},
		"List":             {`[12,"EUR"]`, "price"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var in struct {
				Price money.Money `json:"price"`
			}
			err := json.Unmarshal([]byte(`{"price":`+c.in+`}`), &in)
			var mismatch *json.UnmarshalTypeError
			if !errors.As(err, &mismatch) {
				t.Fatalf("got %v, want a type error; %v", err, in)
			}
			if got := strings.TrimSuffix(mismatch.Field, "."); got != c.field {
				t.Errorf("names %q, want %q", got, c.field)
			}
			if in.Price != (money.Money{}) {
				t.Errorf("Price is %v after the error", in.Price)
			}
		})
	}
}

func TestJSONNamesEveryMember(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][]string{
		`{"currency":"EUR"}`:                     {"/amount_minor"},
		`{"amount_minor":null,"currency":"EUR"}`: {"/amount_minor"},
		`{"amount_minor":12}`:                    {"/currency"},
		`{"amount_minor":12,"currency":null}`:    {"/currency"},
		`{}`:                                     {"/amount_minor", "/currency"},
		`{"currency":"XXZ"}`:                     {"/amount_minor", "/currency"},
		`{"amount_minor":9007199254740993,"currency":"EUR"}`: {"/amount_minor"},
		`{"amount_minor":-9007199254740992,"currency":"x"}`:  {"/currency", "/amount_minor"},
	} {
		got := eur(7)
		e, ok := problem.As(json.Unmarshal([]byte(in), &got))
		if !ok || got != eur(7) {
			t.Fatalf("%s: got %v, want a problem; %v", in, e, got)
		}
		var named []string
		for _, field := range e.Errors {
			named = append(named, field.Pointer)
		}
		if diff := cmp.Diff(want, named); diff != "" {
			t.Errorf("%s (-want +got):\n%s", in, diff)
		}
	}
}

func FuzzUnmarshalJSON(f *testing.F) {
	for _, seed := range []string{`{"amount_minor":1,"currency":"EUR"}`, `null`, `{"amount_minor":1.5}`, `{`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var m money.Money
		if json.Unmarshal(data, &m) != nil {
			return
		}
		again, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var got money.Money
		if err := json.Unmarshal(again, &got); err != nil || got != m {
			t.Fatalf("%s became %s: %v", data, again, err)
		}
	})
}
