package rawjson

import "unicode/utf8"

const hex = "0123456789abcdef"

// AppendString appends s as a JSON string (RFC 8259 section 7). Bytes that are not UTF-8 become U+FFFD.
func AppendString[T string | []byte](out []byte, s T) []byte {
	out = append(out, '"')
	start := 0
	for i := 0; i < len(s); {
		if i = plain(s, i); i == len(s) {
			break
		}
		if c := s[i]; c < utf8.RuneSelf {
			out = append(out, s[start:i]...)
			switch c {
			case '"', '\\':
				out = append(out, '\\', c)
			case '\n':
				out = append(out, '\\', 'n')
			case '\r':
				out = append(out, '\\', 'r')
			case '\t':
				out = append(out, '\\', 't')
			default:
				out = append(out, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			}
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
		if r == utf8.RuneError && size == 1 {
			out = append(out, s[start:i]...)
			out = utf8.AppendRune(out, utf8.RuneError)
			start = i + 1
		}
		i += size
	}
	out = append(out, s[start:]...)
	return append(out, '"')
}
