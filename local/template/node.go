package template

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// parse returns the root mapping of the document.
func parse(file string, data []byte) (*yaml.Node, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("template: %s: %w", file, err)
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, &Problem{File: file, Line: 1, Detail: "the template is not a mapping"}
	}
	if problem := resolve(doc.Content[0], nil, map[*yaml.Node]bool{}); problem != nil {
		problem.File = file
		return nil, problem
	}
	return doc.Content[0], nil
}

// resolve puts the node that a YAML alias names in the alias's place, in n and below. It returns a problem with
// an alias inside its own anchor and with a key that its mapping has already, and nil without one.
func resolve(n *yaml.Node, above []*yaml.Node, done map[*yaml.Node]bool) *Problem {
	if slices.Contains(above, n) {
		return &Problem{Line: n.Line, Detail: "an alias is inside its own anchor"}
	}
	if done[n] {
		return nil
	}
	done[n] = true
	above = append(above, n)
	keys := map[string]bool{}
	for i, child := range n.Content {
		if child.Kind == yaml.AliasNode {
			child = child.Alias
			n.Content[i] = child
		}
		if n.Kind == yaml.MappingNode && i%2 == 0 && child.Kind == yaml.ScalarNode {
			if keys[child.Value] {
				return &Problem{Line: child.Line, Detail: "the key " + child.Value + " appears twice"}
			}
			keys[child.Value] = true
		}
		if problem := resolve(child, above, done); problem != nil {
			return problem
		}
	}
	return nil
}

// member returns the value of a key of a mapping, and nil when it is absent.
func member(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// members calls f for every key of a mapping, in order.
func members(n *yaml.Node, f func(key, value *yaml.Node)) {
	if n == nil || n.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		f(n.Content[i], n.Content[i+1])
	}
}

// intrinsic returns the long name and the argument of an intrinsic function, in its short or its long
// form, and an empty name for a plain value.
func intrinsic(n *yaml.Node) (name string, arg *yaml.Node) {
	if n == nil {
		return "", nil
	}
	if tag := n.Tag; strings.HasPrefix(tag, "!") && !strings.HasPrefix(tag, "!!") {
		plain := *n
		plain.Tag = ""
		if tag == "!Ref" {
			return "Ref", &plain
		}
		return "Fn::" + tag[1:], &plain
	}
	if n.Kind == yaml.MappingNode && len(n.Content) == 2 {
		key := n.Content[0].Value
		if key == "Ref" || strings.HasPrefix(key, "Fn::") {
			return key, n.Content[1]
		}
	}
	return "", nil
}

// merge applies over to base as SAM merges Globals: mappings key by key, lists one after the other,
// anything else replaced.
func merge(base, over *yaml.Node) *yaml.Node {
	if base == nil {
		return over
	}
	if over == nil {
		return base
	}
	if name, _ := intrinsic(over); name != "" || base.Kind != over.Kind {
		return over
	}
	if name, _ := intrinsic(base); name != "" {
		return over
	}

	merged := *over
	switch over.Kind {
	case yaml.MappingNode:
		merged.Content = nil
		members(base, func(key, value *yaml.Node) {
			merged.Content = append(merged.Content, key, merge(value, member(over, key.Value)))
		})
		members(over, func(key, value *yaml.Node) {
			if member(base, key.Value) == nil {
				merged.Content = append(merged.Content, key, value)
			}
		})
	case yaml.SequenceNode:
		merged.Content = append(append([]*yaml.Node(nil), base.Content...), over.Content...)
	default:
	}
	return &merged
}

// refuse records a problem at the line of n.
func (r *reader) refuse(n *yaml.Node, format string, args ...any) {
	line := 1
	if n != nil {
		line = n.Line
	}
	r.problems = append(r.problems, &Problem{File: r.file, Line: line, Detail: fmt.Sprintf(format, args...)})
}

// get returns a member of a mapping with its own intrinsic functions resolved, and nil when it is
// absent or AWS::NoValue.
func (r *reader) get(n *yaml.Node, key string) *yaml.Node { return r.eval(member(n, key)) }

// text returns a scalar as a string, fallback when it is absent.
func (r *reader) text(n *yaml.Node, key, fallback string) string {
	v := r.get(n, key)
	if v == nil {
		return fallback
	}
	if v.Kind != yaml.ScalarNode {
		r.refuse(v, "%s must be one value", key)
		return fallback
	}
	return v.Value
}

// number returns a scalar as a whole number, fallback when it is absent.
func (r *reader) number(n *yaml.Node, key string, fallback int) int {
	v := r.get(n, key)
	if v == nil {
		return fallback
	}
	i, err := strconv.Atoi(v.Value)
	if err != nil || v.Kind != yaml.ScalarNode {
		r.refuse(v, "%s must be a whole number", key)
		return fallback
	}
	return i
}

// flag returns a scalar as a boolean, false when it is absent.
func (r *reader) flag(n *yaml.Node, key string) bool {
	v := r.get(n, key)
	if v == nil {
		return false
	}
	b, err := strconv.ParseBool(v.Value)
	if err != nil || v.Kind != yaml.ScalarNode {
		r.refuse(v, "%s must be true or false", key)
	}
	return b
}

// items returns the resolved items of a list; a single value is a list of one, as in CloudFormation.
func (r *reader) items(n *yaml.Node, key string) []*yaml.Node {
	v := r.get(n, key)
	if v == nil {
		return nil
	}
	if v.Kind != yaml.SequenceNode {
		return []*yaml.Node{v}
	}
	var list []*yaml.Node
	for _, item := range v.Content {
		if e := r.eval(item); e != nil {
			list = append(list, e)
		}
	}
	return list
}

// texts returns a list of scalars.
func (r *reader) texts(n *yaml.Node, key string) []string {
	var list []string
	for _, item := range r.items(n, key) {
		if item.Kind != yaml.ScalarNode {
			r.refuse(item, "%s must be a list of values", key)
			continue
		}
		list = append(list, item.Value)
	}
	return list
}

// only refuses every member of a mapping that is neither served nor known to have no effect outside AWS.
func (r *reader) only(what string, n *yaml.Node, served, elsewhere []string) {
	known := make(map[string]bool, len(served)+len(elsewhere))
	for _, key := range append(append([]string(nil), served...), elsewhere...) {
		known[key] = true
	}
	members(n, func(key, _ *yaml.Node) {
		if !known[key.Value] {
			r.refuse(key, "%s has %s, which the local API does not serve", what, key.Value)
		}
	})
}
