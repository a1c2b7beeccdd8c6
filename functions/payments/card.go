package payments

import (
	"unicode"

	"github.com/tienda-dev/tienda/shared/problem"
)

const (
	// minCardDigits and maxCardDigits are the lengths of card numbers (ISO/IEC 7812-1).
	minCardDigits = 13
	maxCardDigits = 19
	// maxPhoneDigits is the length of the longest phone number with its country code (E.164).
	maxPhoneDigits = 15
	// minGroup is the shortest group of digits after which anything but one space or hyphen may divide a card number.
	// Dates, times and amounts have shorter ones.
	minGroup = 3
)

// HasCardNumber reports whether the text has a card number: 13 to 19 digits that pass Luhn's check, in one group or in
// groups that spaces and punctuation divide. Banks' numbers do not begin with 0 or 1. A phone number with its plus sign is
// not a card number.
func HasCardNumber(text string) bool {
	runes := []rune(text)
	for start := 0; start < len(runes); start++ {
		first, ok := digit(runes[start])
		if !ok || (start > 0 && isDigit(runes[start-1])) {
			continue
		}
		if start > 0 && runes[start-1] == '+' {
			if phone := phoneAt(runes[start:]); phone > 0 {
				start += phone
				continue
			}
		}
		if first > 1 && cardAt(runes[start:]) {
			return true
		}
	}
	return false
}

// phoneAt returns the length of the phone number at the beginning of the text, 0 if its digits are too many for one.
func phoneAt(text []rune) int {
	digits, end := 0, 0
	for i, c := range text {
		if isDigit(c) {
			digits, end = digits+1, i+1
		} else if i > end || !divides(text[i:i+1]) {
			break
		}
	}
	if digits > maxPhoneDigits {
		return 0
	}
	return end
}

// cardAt reports whether the text begins with a card number that no digit follows.
func cardAt(text []rune) bool {
	digits := make([]byte, 0, maxCardDigits)
	for i, group := 0, 0; i < len(text); {
		if d, ok := digit(text[i]); ok {
			if len(digits) == maxCardDigits {
				return false
			}
			digits = append(digits, d)
			i, group = i+1, group+1
			last := i == len(text) || !isDigit(text[i])
			if last && len(digits) >= minCardDigits && luhn(digits) {
				return true
			}
			continue
		}
		divider := i
		for i < len(text) && !unicode.IsLetter(text[i]) && !unicode.IsNumber(text[i]) {
			i++
		}
		if i == divider || (group < minGroup && !divides(text[divider:i])) {
			return false
		}
		group = 0
	}
	return false
}

// divides reports whether one space or hyphen is between groups of digits.
func divides(between []rune) bool {
	return len(between) == 1 && (between[0] == ' ' || between[0] == '-')
}

// digit returns the value of a decimal digit of any script. Unicode has each script's digits in order from 0, and some
// scripts' next to each other.
func digit(c rune) (byte, bool) {
	if !isDigit(c) {
		return 0, false
	}
	zero := c
	for isDigit(zero - 1) {
		zero--
	}
	const digits = 10
	return byte((c - zero) % digits), true
}

func isDigit(c rune) bool { return unicode.IsDigit(c) }

func luhn(digits []byte) bool {
	sum := 0
	for i := range digits {
		d := int(digits[len(digits)-1-i])
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// refuseCard returns the fault of a text that has a card number. It does not repeat the text.
func refuseCard(pointer, text string) []problem.FieldError {
	if !HasCardNumber(text) {
		return nil
	}
	return []problem.FieldError{{Pointer: pointer, Detail: "must not contain a card number: send the provider's token"}}
}
