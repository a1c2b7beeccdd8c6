package rawjson

import "unicode/utf8"

// plain returns the index of the first byte of s from i on that a JSON string must escape or that is not ASCII, or len(s).
// It looks at eight bytes at a time.
func plain[T string | []byte](s T, i int) int {
	const (
		ones  = 0x0101010101010101
		highs = 0x80 * ones
	)
	for ; i+8 <= len(s); i += 8 {
		w := uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
			uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
		quote, backslash := w^'"'*ones, w^'\\'*ones
		// The high bit of each such byte. A borrow may also set that of the byte above one: the loop below decides.
		if (w|(w-' '*ones)|(quote-ones)|(backslash-ones))&highs != 0 {
			break
		}
	}
	for i < len(s) && s[i] >= ' ' && s[i] != '"' && s[i] != '\\' && s[i] < utf8.RuneSelf {
		i++
	}
	return i
}
