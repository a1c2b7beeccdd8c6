// Package money counts money in whole minor units, never in floating point, so that no cent is lost
// to rounding.
package money

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"reflect"
	"strconv"

	"github.com/tienda-dev/tienda/shared/problem"
)

// The errors of arithmetic and comparison. By themselves they are not the client's fault.
var (
	// ErrOverflow is an amount beyond MaxAmount.
	ErrOverflow = errors.New("money: the amount overflows")
	// ErrCurrencyMismatch is an operation on two currencies. There are no exchange rates here.
	ErrCurrencyMismatch = errors.New("money: the currencies differ")
	// ErrUnknownCurrency is a code that is not an active one of ISO 4217.
	ErrUnknownCurrency = errors.New("money: unknown currency")
)

// MaxAmount is the largest amount, and -MaxAmount the smallest one, in minor units: what every JSON decoder reads
// exactly (RFC 8259 section 6).
const MaxAmount = 1<<53 - 1

// Money is an amount in a currency: {"amount_minor": 1250, "currency": "EUR"} is 12.50 EUR.
//
// Two amounts are equal if == is true. The zero value has no currency and is not valid.
type Money struct {
	// AmountMinor is the amount in the currency's minor unit: cents of EUR, whole yen, fils of KWD.
	//
	// It may be negative, and is at most MaxAmount from zero.
	AmountMinor int64 `json:"amount_minor" dynamodbav:"amount_minor"`
	// Currency is an alphabetic ISO 4217 code in capitals.
	Currency string `json:"currency" dynamodbav:"currency"`
}

// New returns an amount of minor units, ErrUnknownCurrency or ErrOverflow.
func New(amountMinor int64, currency string) (Money, error) {
	if _, ok := Exponent(currency); !ok {
		return Money{}, ErrUnknownCurrency
	}
	return within(amountMinor, currency)
}

// within returns the amount, or ErrOverflow.
func within(amountMinor int64, currency string) (Money, error) {
	if amountMinor > MaxAmount || amountMinor < -MaxAmount {
		return Money{}, ErrOverflow
	}
	return Money{AmountMinor: amountMinor, Currency: currency}, nil
}

// Validate returns the problems of an amount from a request, for the request's own Validate. pointer
// is the JSON pointer of the amount in the request ("/price"). Whether it may be negative or zero is the
// request's rule.
func (m Money) Validate(pointer string) []problem.FieldError {
	var broken []problem.FieldError
	if m.Currency == "" {
		broken = append(broken, problem.FieldError{Pointer: pointer + "/currency", Detail: "is required"})
	} else if _, ok := Exponent(m.Currency); !ok {
		broken = append(broken, problem.FieldError{Pointer: pointer + "/currency", Detail: "must be an active ISO 4217 code in capitals"})
	}
	if _, err := within(m.AmountMinor, m.Currency); err != nil {
		broken = append(broken, problem.FieldError{
			Pointer: pointer + "/amount_minor", Detail: fmt.Sprintf("must be an integer from -%d to %d", MaxAmount, MaxAmount),
		})
	}
	return broken
}

// Add returns m + n.
func (m Money) Add(n Money) (Money, error) {
	if m.Currency != n.Currency {
		return Money{}, ErrCurrencyMismatch
	}
	sum := m.AmountMinor + n.AmountMinor
	if (sum > m.AmountMinor) != (n.AmountMinor > 0) {
		return Money{}, ErrOverflow
	}
	return within(sum, m.Currency)
}

// Sub returns m - n.
func (m Money) Sub(n Money) (Money, error) {
	if m.Currency != n.Currency {
		return Money{}, ErrCurrencyMismatch
	}
	difference := m.AmountMinor - n.AmountMinor
	if (difference < m.AmountMinor) != (n.AmountMinor > 0) {
		return Money{}, ErrOverflow
	}
	return within(difference, m.Currency)
}

// Mul returns m times a whole number, such as a quantity.
func (m Money) Mul(factor int64) (Money, error) {
	high, low := bits.Mul64(magnitude(m.AmountMinor), magnitude(factor))
	switch {
	case high != 0 || low > MaxAmount:
		return Money{}, ErrOverflow
	case (m.AmountMinor < 0) != (factor < 0):
		return within(-int64(low), m.Currency)
	default:
		return within(int64(low), m.Currency)
	}
}

// magnitude returns the absolute value, which fits for the smallest int64 too.
func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// Compare returns -1, 0 or 1 when m is less than, equal to or greater than n.
func (m Money) Compare(n Money) (int, error) {
	switch {
	case m.Currency != n.Currency:
		return 0, ErrCurrencyMismatch
	case m.AmountMinor < n.AmountMinor:
		return -1, nil
	case m.AmountMinor > n.AmountMinor:
		return 1, nil
	default:
		return 0, nil
	}
}

// String returns the amount in major units with all of the currency's digits, and its code: "12.50
// EUR", "-0.05 EUR", "1250 JPY". It is for logs and messages in no particular language.
func (m Money) String() string {
	exponent, ok := Exponent(m.Currency)
	if !ok {
		return fmt.Sprintf("%d minor units of %q", m.AmountMinor, m.Currency)
	}
	sign := ""
	if m.AmountMinor < 0 {
		sign = "-"
	}
	digits := strconv.FormatUint(magnitude(m.AmountMinor), 10)
	if exponent == 0 {
		return sign + digits + " " + m.Currency
	}
	if missing := exponent + 1 - len(digits); missing > 0 {
		digits = "0000"[:missing] + digits // no exponent is above 4
	}
	whole := len(digits) - exponent
	return sign + digits[:whole] + "." + digits[whole:] + " " + m.Currency
}

// UnmarshalJSON implements json.Unmarshaler. It is stricter than the standard decoding of the
// struct: both members are required, neither may be null, and the amount must be written as an
// integer (no fraction, no exponent, no string) of at most MaxAmount from zero. It does not check the
// currency: Validate does. Its errors are a json.UnmarshalTypeError, or a problem.Error with the pointers of
// all offending members in the amount.
func (m *Money) UnmarshalJSON(data []byte) error {
	var in struct {
		AmountMinor *int64  `json:"amount_minor"`
		Currency    *string `json:"currency"`
	}
	if bytes.Equal(bytes.TrimSpace(data), []byte("null")) {
		return &json.UnmarshalTypeError{Value: "null", Type: reflect.TypeFor[Money]()}
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	var read Money
	var broken []problem.FieldError
	if in.Currency != nil {
		read.Currency = *in.Currency
	}
	if in.AmountMinor == nil {
		broken = append(broken, problem.FieldError{Pointer: "/amount_minor", Detail: "is required"})
	} else {
		read.AmountMinor = *in.AmountMinor
	}
	if in.AmountMinor == nil || in.Currency == nil {
		return problem.Fields(append(broken, read.Validate("")...)...)
	}
	if _, err := within(read.AmountMinor, read.Currency); err != nil {
		return problem.Fields(read.Validate("")...)
	}
	*m = read
	return nil
}
