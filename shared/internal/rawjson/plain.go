package rawjson

import "unicode/utf8"

// plain returns the place of the first byte of s from i on that is not a character as JSON writes it, or len(s): a
// control character, a quote, a backslash or a part of a character beyond ASCII. It looks at eight bytes at a time.
func plain[T string | []byte](s T, i int) int {
	const (
		ones  = 0x0101010101010101
		highs = 0x80 * ones
	)
	for ; i+8 <= len(s); i += 8 {
		w := uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
			uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
		quote, backslash := w^'"'*ones, w^'\\'*ones
		// The high bit of each byte that is above 0x7f, below ' ', or equal: and perhaps of one above such a byte.
		if (w|(w-' '*ones)|(quote-ones)|(backslash-ones))&highs != 0 {
			break
		}
	}
	for i < len(s) && s[i] >= ' ' && s[i] != '"' && s[i] != '\\' && s[i] < utf8.RuneSelf {
		i++
	}
	return i
}
