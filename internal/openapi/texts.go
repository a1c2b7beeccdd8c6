package openapi

import (
	"fmt"
	"strings"

	"github.com/tienda-dev/tienda/internal/policy"
)

// Name returns the rules of policy.NameFault: one line of text that shows something, without a space at either end.
func Name(limit int) Rules {
	return Rules{MinLength: 1, MaxLength: limit, Pattern: patterns().name}
}

// Line returns the rules of policy.LineFault: one line of text, which may be empty.
func Line(limit int) Rules { return Rules{MaxLength: limit, Pattern: patterns().line} }

// Text returns the rules of policy.TextFault: lines of text, which may be empty.
func Text(limit int) Rules { return Rules{MaxLength: limit, Pattern: patterns().text} }

type textPatterns struct{ name, line, text string }

// patterns asks the functions that Validate uses about every character below U+0100. Validate refuses a few more, such
// as those that reorder text: as part of a pattern they would reorder the document.
func patterns() textPatterns {
	const visible = "a"
	inner := class(func(char string) bool { return policy.LineFault(visible+char+visible, len("aba")) != "" })
	edge := class(func(char string) bool { return policy.NameFault(visible+char, len("ab")) != "" })
	lines := class(func(char string) bool { return policy.TextFault(visible+char+visible, len("aba")) != "" })
	return textPatterns{
		name: "^[^" + edge + "](?:[^" + inner + "]*[^" + edge + "])?$",
		line: "^[^" + inner + "]*$",
		text: "^[^" + lines + "]*$",
	}
}

// class returns the inside of a character class with the characters below U+0100 that are refused, as ECMA-262, RE2,
// and the engines of Python and Rust read it alike.
func class(refused func(char string) bool) string {
	const end = 0x100 // two digits write what is below
	var b strings.Builder
	start := -1
	for r := range end + 1 {
		in := r < end && refused(string(rune(r)))
		switch {
		case in && start < 0:
			start = r
		case !in && start >= 0:
			fmt.Fprintf(&b, `\x%02x-\x%02x`, start, r-1)
			start = -1
		}
	}
	return b.String()
}
