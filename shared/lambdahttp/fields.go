package lambdahttp

import (
	"net/http"
	"slices"
	"strings"
)

// field is a header of an answer, its name in the canonical form.
type field struct {
	name   string
	values []string
}

// fields are the headers of an answer. A slice is cheaper than a map: it is made once, and there are about 20.
type fields []field

// canonical returns a copy of the header with each name in its canonical form: a handler that writes to
// the map itself may use any spelling. Values of several spellings of one name follow each other in the
// order of the spellings.
func canonical(header http.Header) fields {
	sent := make(fields, 0, len(header)+2) // Content-Type and Content-Length may follow
	var others []string
	for name, values := range header {
		if !isCanonical(name) && http.CanonicalHeaderKey(name) != name {
			others = append(others, name)
			continue
		}
		if len(values) > 1 {
			values = slices.Clone(values) // Add may write behind the length that was sent
		}
		sent = append(sent, field{name, values})
	}
	slices.Sort(others)
	for _, name := range others {
		key := http.CanonicalHeaderKey(name)
		if i := sent.index(key); i >= 0 {
			sent[i].values = slices.Concat(sent[i].values, header[name])
		} else {
			sent = append(sent, field{key, slices.Clone(header[name])})
		}
	}
	return sent
}

// isCanonical reports whether the name is letters, digits and hyphens in the canonical form. It is quicker than
// http.CanonicalHeaderKey, which also knows what to do with other characters.
func isCanonical(name string) bool {
	upper := true
	for i := range len(name) {
		c := name[i]
		switch {
		case c == '-', '0' <= c && c <= '9', upper && 'A' <= c && c <= 'Z', !upper && 'a' <= c && c <= 'z':
		default:
			return false
		}
		upper = c == '-'
	}
	return true
}

func (f fields) index(name string) int {
	return slices.IndexFunc(f, func(one field) bool { return one.name == name })
}

// has reports whether there is a header of the name, also one without a value.
func (f fields) has(name string) bool { return f.index(name) >= 0 }

// get returns the first value of the header, or "".
func (f fields) get(name string) string {
	if i := f.index(name); i >= 0 && len(f[i].values) > 0 {
		return f[i].values[0]
	}
	return ""
}

func (f *fields) set(name, value string) {
	if i := f.index(name); i >= 0 {
		(*f)[i].values = []string{value}
		return
	}
	*f = append(*f, field{name, []string{value}})
}

func (f *fields) drop(name string) {
	*f = slices.DeleteFunc(*f, func(one field) bool { return one.name == name })
}

// inOrder returns the places of the headers in the order of their names: to move small numbers is cheaper than to move
// headers. There are few, so it is a sort by insertion.
func (f fields) inOrder(places []int) []int {
	for i := range f {
		at := len(places)
		places = append(places, i)
		for ; at > 0 && f[places[at-1]].name > f[i].name; at-- {
			places[at] = places[at-1]
		}
		places[at] = i
	}
	return places
}

// endToEnd returns the headers without those that describe a connection (RFC 9110 section 7.6.1): the
// connection to the client is the gateway's.
func (f fields) endToEnd() fields {
	return slices.DeleteFunc(f, func(one field) bool {
		switch one.name {
		case "Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade":
			return true
		default:
			return strings.HasPrefix(one.name, http.TrailerPrefix)
		}
	})
}
