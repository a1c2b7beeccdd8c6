package payments_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/tienda-dev/tienda/functions/payments"
)

func TestHasCardNumber(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		text string
		want bool
	}{
		"Visa":               {"4242424242424242", true},
		"Amex":               {"378282246310005", true},
		"ThirteenDigits":     {"4222222222222", true},
		"NineteenDigits":     {"6304000000000000000", true},
		"Maestro":            {"6759649826438453", true},
		"Spaces":             {"my card 4242 4242 4242 4242, thanks", true},
		"Hyphens":            {"4242-4242-4242-4242", true},
		"LastDigitWrong":     {"4242424242424241", false},
		"Twelve":             {"424242424242", false},
		"Twenty":             {"42424242424242424242", false},
		"Token":              {"pm_card_visa", false},
		"TokenWithNumber":    {"pm_4242424242424242", true},
		"TwoSpaces":          {"4242  4242 4242 4242", true},
		"Dots":               {"4242.4242.4242.4242", true},
		"Slashes":            {"4242/4242/4242/4242", true},
		"Underscores":        {"pm_4242_4242_4242_4242", true},
		"NoBreakSpaces":      {"4242\u00a04242\u00a04242\u00a04242", true},
		"Dashes":             {"4242 – 4242 – 4242 – 4242", true},
		"AmexInGroups":       {"3782, 822463, 10005", true},
		"EveryDigitApart":    {"4 2 4 2 4 2 4 2 4 2 4 2 4 2 4 2", true},
		"AfterAnother":       {"order 12: 4242.4242.4242.4242", true},
		"WideDigits":         {"４２４２ ４２４２ ４２４２ ４２４２", true},
		"ArabicIndicDigits":  {"٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢", true},
		"PersianDigits":      {"۴۲۴۲ ۴۲۴۲ ۴۲۴۲ ۴۲۴۲", true},
		"DevanagariDigits":   {"४२४२-४२४२-४२४२-४२४२", true},
		"MathematicalDigits": {"𝟒𝟐𝟒𝟐𝟜𝟚𝟜𝟚𝟦𝟤𝟦𝟤𝟺𝟸𝟺𝟸", true},
		"DigitsOfTwoScripts": {"4242٤٢٤٢４２４２𝟒𝟐𝟒𝟐", true},
		"LastArabicWrong":    {"٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤١", false},
		"ArabicTwenty":       {"٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢", false},
		"InBrackets":         {"(4242)(4242)(4242)(4242)", true},
		"Plus":               {"+4242424242424242", true},
		"AfterAPhone":        {"+49 1512 3456789, 4242 4242 4242 4242", true},
		"NotUTF8":            {"4242\xff4242\xff4242\xff4242", true},
		"Letters":            {"4242x4242x4242x4242", false},
		"DigitsFollow":       {"4242 4242 4242 4242 0", true},
		"Empty":              {"", false},
		"Long":               {strings.Repeat("1", 4096), false},
		"SecondOfTwoNumbers": {"123 4242424242424242", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := payments.HasCardNumber(tc.text); got != tc.want {
				t.Errorf("%q: got %t, want %t", tc.text, got, tc.want)
			}
		})
	}
}

// digitRanges returns the first and the last rune of each range of decimal digits.
func digitRanges() [][2]rune {
	var ranges [][2]rune
	for _, r := range unicode.Nd.R16 {
		ranges = append(ranges, [2]rune{rune(r.Lo), rune(r.Hi)})
	}
	for _, r := range unicode.Nd.R32 {
		ranges = append(ranges, [2]rune{rune(r.Lo), rune(r.Hi)})
	}
	return ranges
}

// Every script's digits make the card number 4242…; the number with another last digit does not pass.
func TestHasCardNumberInEveryScript(t *testing.T) {
	t.Parallel()
	zeros := 0
	for _, r := range digitRanges() {
		if (r[1]-r[0]+1)%10 != 0 {
			t.Errorf("%U to %U are not the digits of scripts", r[0], r[1])
		}
		for zero := r[0]; zero < r[1]; zero += 10 {
			zeros++
			card := strings.Repeat(string([]rune{zero + 4, zero + 2}), 8)
			if !payments.HasCardNumber(card) {
				t.Errorf("%U: %q is not recognised", zero, card)
			}
			if wrong := strings.Repeat(string([]rune{zero + 4, zero + 2}), 7) + string([]rune{zero + 4, zero + 1}); payments.HasCardNumber(wrong) {
				t.Errorf("%U: %q is taken for a card number", zero, wrong)
			}
		}
	}
	if zeros < 60 {
		t.Errorf("%d scripts have digits", zeros)
	}
}

// What a refund's reason may have, with the digits that pass Luhn's check where the length allows it.
func TestOtherNumbersAreNotCards(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"ULID":           "01JD7QG0D4R1A8K5T2V9W6X3YZ",
		"UUID":           "8e03978e-40d5-43dd-bc93-6894a57f9324",
		"Phone":          "+49 1512 345678900",
		"PhoneGrouped":   "+44 (0) 20 7946 0018",
		"PhoneUndivided": "call +4915123456788",
		"PhoneOverseas":  "0049 1512 3456784",
		"Timestamp":      "2026-11-29 10:36:52",
		"Milliseconds":   "1764412612008",
		"Amounts":        "12.50 and 13.75, not 4242.42",
		"Address":        "203.0.113.195",
		"Order":          "ORD-000123-4567890",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for last := '0'; last <= '9'; last++ { // one of them passes
				if number := text[:len(text)-1] + string(last); payments.HasCardNumber(number) {
					t.Errorf("%q is taken for a card number", number)
				}
			}
		})
	}
}
