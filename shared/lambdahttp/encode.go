package lambdahttp

import (
	"encoding/base64"
	"mime"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tienda-dev/tienda/shared/internal/rawjson"
)

// encode appends the answer by hand: encoding/json costs four times as much and the shape is
// small. Header names are in order, so equal answers are equal bytes.
func (p *payload2) encode(a answer) []byte {
	isText := isText(a.header, a.body)
	out := make([]byte, 0, a.size(isText))

	out = append(out, `{"statusCode":`...)
	out = strconv.AppendInt(out, int64(a.status), 10)
	out = append(out, `,"headers":{`...)
	var cookies []string
	var space [32]int
	first := true
	for _, place := range a.header.inOrder(space[:0]) {
		h := &a.header[place]
		if h.name == "Set-Cookie" {
			cookies = h.values
			continue
		}
		if !isToken(h.name) || len(h.values) == 0 {
			continue
		}
		if !first {
			out = append(out, ',')
		}
		first = false
		out = rawjson.AppendString(out, h.name)
		out = append(out, ':')
		out = rawjson.AppendString(out, joined(h.values))
	}
	out = append(out, '}')
	if len(cookies) > 0 {
		out = append(out, `,"cookies":[`...)
		for i, cookie := range cookies {
			if i > 0 {
				out = append(out, ',')
			}
			out = rawjson.AppendString(out, headerValue(cookie))
		}
		out = append(out, ']')
	}

	out = append(out, `,"body":`...)
	if isText {
		out = rawjson.AppendString(out, a.body)
		return append(out, `,"isBase64Encoded":false}`...)
	}
	out = append(out, '"')
	out = base64.StdEncoding.AppendEncode(out, a.body)
	return append(out, `","isBase64Encoded":true}`...)
}

// size returns about how many bytes the encoded answer has; more if characters are escaped.
func (a answer) size(isText bool) int {
	size := len(a.body) + 128
	if !isText {
		size += len(a.body) / 2
	}
	for _, h := range a.header {
		size += len(h.name) + 6
		for _, value := range h.values {
			size += len(value) + 2
		}
	}
	return size
}

// joined folds repeated headers as RFC 9110 section 5.3 allows; the format has one string each.
func joined(values []string) string {
	if len(values) == 1 {
		return headerValue(values[0])
	}
	clean := make([]string, len(values))
	for i, value := range values {
		clean[i] = headerValue(value)
	}
	return strings.Join(clean, ", ")
}

// headerValue makes one line of the value, as net/http does before it writes one: what a handler
// copied from its input must not start another header.
func headerValue(s string) string {
	if strings.IndexByte(s, '\r') >= 0 || strings.IndexByte(s, '\n') >= 0 {
		s = strings.NewReplacer("\r", " ", "\n", " ").Replace(s)
	}
	return strings.Trim(s, " \t")
}

// isText reports whether the body may travel as a JSON string. Everything else is base64: what
// is encoded (gzip), a media type that is not text, and what is not UTF-8.
func isText(h fields, body []byte) bool {
	if len(body) == 0 {
		return true
	}
	if coding := h.get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return false
	}
	return isTextType(h.get("Content-Type")) && utf8.Valid(body)
}

func isTextType(contentType string) bool {
	mediaType, _, _ := strings.Cut(contentType, ";")
	switch mediaType = strings.TrimSpace(mediaType); mediaType {
	case "application/json", "application/problem+json": // nearly every answer: no lower-casing
		return true
	}
	mediaType, _, err := mime.ParseMediaType(mediaType)
	if err != nil {
		return false
	}
	switch mediaType {
	case "application/json", "application/xml", "application/javascript", "application/ecmascript",
		"application/x-www-form-urlencoded", "application/yaml", "application/x-ndjson", "application/graphql":
		return true
	}
	return strings.HasPrefix(mediaType, "text/") ||
		strings.HasSuffix(mediaType, "+json") || strings.HasSuffix(mediaType, "+xml") || strings.HasSuffix(mediaType, "+yaml")
}
