package logging

import (
	"bytes"
	"slices"

	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"
)

// uniqueEncoder writes every name of a JSON object once: JSON leaves open what a name means that appears twice
// (RFC 8259 section 4), and log stores choose differently. The names of the line itself keep the line's own
// value. Of others the last value is written: that of the call, before that of its logger.
type uniqueEncoder struct {
	zapcore.Encoder

	pool buffer.Pool
}

func newUniqueEncoder(json zapcore.Encoder) uniqueEncoder {
	return uniqueEncoder{json, buffer.NewPool()}
}

// Clone implements zapcore.Encoder.
func (e uniqueEncoder) Clone() zapcore.Encoder { return uniqueEncoder{e.Encoder.Clone(), e.pool} }

// EncodeEntry implements zapcore.Encoder.
func (e uniqueEncoder) EncodeEntry(ent zapcore.Entry, fields []zapcore.Field) (*buffer.Buffer, error) {
	line, err := e.Encoder.EncodeEntry(ent, fields)
	if err != nil {
		return nil, err
	}
	u := unique{b: line.Bytes()}
	if end := u.value(0, true); end < 0 || len(u.cuts) == 0 {
		return line, nil
	}
	defer line.Free()
	slices.SortFunc(u.cuts, func(a, b span) int { return a.from - b.from })
	out, copied := e.pool.Get(), 0
	for _, cut := range u.cuts {
		if cut.to > copied { // else it is inside another one
			out.AppendBytes(u.b[copied:max(copied, cut.from)])
			copied = cut.to
		}
	}
	out.AppendBytes(u.b[copied:])
	return out, nil
}

// span is a part of a line.
type span struct{ from, to int }

// unique finds the members of an encoder's compact JSON whose names appear again.
type unique struct {
	b    []byte
	cuts []span
}

// value returns the end of the JSON value at b[i], or -1 if it is not JSON. line says that it is the line.
func (u *unique) value(i int, line bool) int {
	if i < 0 || i >= len(u.b) {
		return -1
	}
	switch u.b[i] {
	case '"':
		return u.text(i)
	case '{':
		return u.object(i, line)
	case '[':
		for i++; i < len(u.b) && u.b[i] != ']'; {
			if u.b[i] == ',' {
				i++
			}
			if i = u.value(i, false); i < 0 {
				return -1
			}
		}
		return i + 1
	default:
		n := bytes.IndexAny(u.b[i:], ",]}\n")
		if n <= 0 {
			return -1
		}
		return i + n
	}
}

// text returns the end of the JSON string at b[i].
func (u *unique) text(i int) int {
	for i++; i < len(u.b); i++ {
		switch u.b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

// member is a name in its quotes and where its member is.
type member struct {
	name []byte
	span
	drop bool
}

// linear is how many members are compared one by one: a line has about 20.
const linear = 32

func (u *unique) object(i int, line bool) int {
	members := make([]member, 0, linear)
	var index map[string]int // of a large object: where the kept member of the name is
	for i++; i < len(u.b) && u.b[i] != '}'; {
		if u.b[i] == ',' {
			i++
		}
		end := -1
		if i < len(u.b) && u.b[i] == '"' {
			end = u.text(i)
		}
		if end < 0 || end >= len(u.b) || u.b[end] != ':' {
			return -1
		}
		m := member{name: u.b[i:end], span: span{from: i, to: u.value(end+1, false)}}
		if m.to < 0 {
			return -1
		}
		i = m.to
		if earlier := find(members, index, m.name); earlier >= 0 {
			m.drop = line && isOwn(m.name)
			members[earlier].drop = !m.drop
		}
		members = append(members, m)
		if index == nil && len(members) == linear {
			index = make(map[string]int)
			for at, m := range members {
				if !m.drop {
					index[string(m.name)] = at
				}
			}
		} else if index != nil && !m.drop {
			index[string(m.name)] = len(members) - 1
		}
	}
	u.cut(members)
	return i + 1
}

// find returns the place of the kept member of the name, or -1.
func find(members []member, index map[string]int, name []byte) int {
	if index != nil {
		if at, ok := index[string(name)]; ok {
			return at
		}
		return -1
	}
	return slices.IndexFunc(members, func(m member) bool { return !m.drop && bytes.Equal(m.name, name) })
}

// cut removes the dropped members with their commas.
func (u *unique) cut(members []member) {
	kept := -1 // the last kept member so far
	for i, m := range members {
		switch {
		case !m.drop:
			kept = i
		case slices.ContainsFunc(members[i:], func(m member) bool { return !m.drop }):
			u.cuts = append(u.cuts, span{m.from, members[i+1].from})
		default: // nothing is kept behind it, and something before it: the other one of its name
			u.cuts = append(u.cuts, span{members[kept].to, members[len(members)-1].to})
			return
		}
	}
}

// isOwn reports whether the name, in quotes, is one of those that the encoder writes in front of the fields.
// It writes the stack trace behind them.
func isOwn(name []byte) bool {
	switch string(name[1 : len(name)-1]) {
	case KeyLevel, KeyMessage, KeyTimestamp, KeyLogger, KeyLocation:
		return true
	default:
		return false
	}
}
