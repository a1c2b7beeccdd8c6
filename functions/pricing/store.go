package pricing

import (
	"context"

	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/problem"
)

// The errors of this resource that clients see. Any other error of a Store is a failure, which is answered with 503
// or 500.
var (
	// ErrQuoteNotFound: the quote does not exist, or is another customer's.
	ErrQuoteNotFound = problem.New(problem.NotFound, "quote_not_found", "There is no such quote.")
	// ErrQuoteExpired: the quote is older than QuoteLife.
	ErrQuoteExpired = problem.New(problem.Gone, "quote_expired", "The quote has expired. Ask for a new one.")
	// ErrQuoteUsed: the quote was ordered before.
	ErrQuoteUsed = problem.New(problem.Conflict, "quote_used", "The quote was ordered already.")
	// ErrCodeInvalid: the discount code does not exist, or is not for this order.
	ErrCodeInvalid = problem.New(problem.Invalid, "code_invalid", "A discount code cannot be used for this order.")
	// ErrCodeUsedUp: the discount code was used as often as it may be.
	ErrCodeUsedUp = problem.New(problem.Invalid, "code_used_up", "A discount code was used as often as it may be.")
	// ErrDiscountNotFound: the discount does not exist.
	ErrDiscountNotFound = problem.New(problem.NotFound, "discount_not_found", "There is no such discount.")
	// ErrCodeExists: another discount has or had the code.
	ErrCodeExists = problem.New(problem.Conflict, "code_exists", "A discount with this code exists, or existed.").
			WithFields(problem.FieldError{Pointer: "/code", Detail: "is taken"})
	// ErrStale: the rules or the discount changed since the version that the change was made from.
	ErrStale = problem.Stale()
)

// CodeError is a discount code that an order cannot use. It wraps ErrCodeInvalid or ErrCodeUsedUp, and does not know
// which member of a request has the code.
type CodeError struct {
	Code string
	// Detail is the reason, for the client: a verb and what follows it.
	Detail string

	err *problem.Error
}

// Error implements error.
func (e *CodeError) Error() string { return e.err.Error() }

// Unwrap returns ErrCodeInvalid or ErrCodeUsedUp.
func (e *CodeError) Unwrap() error { return e.err }

// Unusable returns the code and the reason, for a caller that does not import this package.
func (e *CodeError) Unusable() (code, detail string) { return e.Code, e.Detail }

// UnknownCode returns the CodeError of a code that does not exist.
func UnknownCode(code string) error {
	return &CodeError{code, "is not a discount code", ErrCodeInvalid}
}

// UsedUp returns the CodeError of a code that was used as often as it may be.
func UsedUp(code string) error {
	return &CodeError{code, "was used as often as it may be", ErrCodeUsedUp}
}

const notForSale = "is not a product that is for sale"

// Products reads the catalogue.
type Products interface {
	// Products returns the products that have the SKUs, by SKU. One that does not exist is absent.
	Products(ctx context.Context, skus []string) (map[string]Product, error)
}

// Terms are what a price depends on besides the products.
type Terms struct {
	Rules Rules
	// Discounts are by code. One that does not exist is absent.
	Discounts map[string]Discount
	// Uses is how many orders of the customer use each code.
	Uses map[string]int64
}

// Store stores quotes, rules and discounts. Every change is one transaction.
type Store interface {
	// Terms returns the rules and what is known of the codes, which are in capitals.
	Terms(ctx context.Context, customer string, codes []string) (Terms, error)

	// CreateQuote stores a new quote together with the record of the request's key. It returns
	// *idempotency.UsedError if the key is in use.
	CreateQuote(ctx context.Context, q Quote, record idempotency.Record) error
	// Quote returns a quote, whether it has expired or not, or ErrQuoteNotFound. A store may forget quotes a day
	// after they have expired.
	Quote(ctx context.Context, id string) (Quote, error)

	// Rules returns the rules, with version 0 if none were put.
	Rules(ctx context.Context) (Rules, error)
	// PutRules replaces the rules of the version before. It returns ErrStale if there are others. Repeating it is
	// not an error.
	PutRules(ctx context.Context, before int64, after Rules) error

	// CreateDiscount stores a new discount together with the record of the request's key. It returns
	// *idempotency.UsedError if the key is in use, and else ErrCodeExists if there is or was one with the code.
	CreateDiscount(ctx context.Context, d Discount, record idempotency.Record) error
	// Discount returns a discount, or ErrDiscountNotFound.
	Discount(ctx context.Context, code string) (Discount, error)
	// Discounts returns the discounts, newest first. after is the position that the previous page returned, nil for
	// the first page; the returned position is nil on the last one.
	Discounts(ctx context.Context, limit int, after []byte) ([]Discount, []byte, error)
	// UpdateDiscount replaces all of before but its uses, which are not changed. It returns ErrStale if the stored
	// version is not before's, and ErrDiscountNotFound. Repeating it is not an error.
	UpdateDiscount(ctx context.Context, before, after Discount) error
	// DeleteDiscount deletes the version of a discount. Its code is never free again, and orders that used it can
	// return their use. It returns ErrStale and ErrDiscountNotFound.
	DeleteDiscount(ctx context.Context, code string, version int64) error
}
