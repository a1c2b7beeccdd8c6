package template

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// reader holds one reading of one file.
type reader struct {
	file       string
	opts       Options
	root       *yaml.Node
	parameters map[string]*yaml.Node
	conditions map[string]bool
	resolving  []string
	// defaultAuthorizer is what the API gives routes that name none.
	defaultAuthorizer string
	problems          []*Problem
}

// eval resolves the intrinsic function that n is, if it is one. Members and items of the result are
// resolved when they are read. Nil is AWS::NoValue, or a refusal that has been recorded.
func (r *reader) eval(n *yaml.Node) *yaml.Node {
	n = follow(n)
	name, arg := intrinsic(n)
	if name == "" {
		if n != nil && n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
			return nil
		}
		return n
	}

	switch name {
	case "Ref":
		return r.ref(n, arg.Value)
	case "Fn::Sub":
		return r.sub(n, arg)
	case "Fn::GetAtt":
		return r.getAtt(n, arg)
	case "Fn::Join":
		return r.join(n, arg)
	case "Fn::Select":
		return r.choose(n, arg)
	case "Fn::Split":
		return r.split(n, arg)
	case "Fn::FindInMap":
		return r.findInMap(n, arg)
	case "Fn::If":
		if len(arg.Content) != 3 {
			r.refuse(n, "Fn::If needs a condition and two values")
			return nil
		}
		if r.condition(n, arg.Content[0].Value) {
			return r.eval(arg.Content[1])
		}
		return r.eval(arg.Content[2])
	case "Fn::Equals", "Fn::Not", "Fn::And", "Fn::Or", "Condition":
		return scalar(n, strconv.FormatBool(r.test(n)))
	default:
		r.refuse(n, "the local API does not resolve %s", name)
		return nil
	}
}

// scalar is a plain value that stands where n stood.
func scalar(n *yaml.Node, value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value, Line: n.Line, Column: n.Column}
}

// ref resolves a parameter, a pseudo parameter or a resource.
func (r *reader) ref(n *yaml.Node, name string) *yaml.Node {
	switch name {
	case "AWS::NoValue":
		return nil
	case "AWS::Region":
		return scalar(n, r.opts.Region)
	case "AWS::AccountId":
		return scalar(n, r.opts.AccountID)
	case "AWS::StackName":
		return scalar(n, r.opts.StackName)
	case "AWS::StackId":
		return scalar(n, "arn:aws:cloudformation:"+r.opts.Region+":"+r.opts.AccountID+":stack/"+r.opts.StackName+"/local")
	case "AWS::Partition":
		return scalar(n, "aws")
	case "AWS::URLSuffix":
		return scalar(n, "amazonaws.com")
	}
	if value, ok := r.parameters[name]; ok {
		return value
	}
	resource := member(member(r.root, "Resources"), name)
	if resource == nil {
		r.refuse(n, "%q is neither a parameter nor a resource", name)
		return nil
	}
	return scalar(n, r.physical(resource, name))
}

// physical is what a reference to a resource yields.
func (r *reader) physical(resource *yaml.Node, name string) string {
	if r.opts.Ref != nil {
		if p := r.opts.Ref(value(member(resource, "Type")), name); p != "" {
			return p
		}
	}
	return name
}

func value(n *yaml.Node) string {
	if n == nil {
		return ""
	}
	return n.Value
}

// getAtt resolves the attributes that a function's configuration can need.
func (r *reader) getAtt(n, arg *yaml.Node) *yaml.Node {
	name, attribute := attributeOf(arg)
	resource := member(member(r.root, "Resources"), name)
	if resource == nil {
		r.refuse(n, "%q is not a resource", name)
		return nil
	}
	arn := func(service, rest string) *yaml.Node {
		return scalar(n, "arn:aws:"+service+":"+r.opts.Region+":"+r.opts.AccountID+":"+rest)
	}
	switch kind := value(member(resource, "Type")) + "." + attribute; kind {
	case typeFunction + ".Arn":
		return arn("lambda", "function:"+name)
	case typeTable + ".Arn":
		return arn("dynamodb", "table/"+r.physical(resource, name))
	case typeSecret + ".Id":
		return scalar(n, r.physical(resource, name))
	case typeHTTPAPI + ".ApiId":
		return scalar(n, name)
	default:
		r.refuse(n, "the local API does not resolve the attribute %s of %s (%s)", attribute, name, value(member(resource, "Type")))
		return nil
	}
}

// attributeOf splits "Name.Attribute" or [Name, Attribute].
func attributeOf(arg *yaml.Node) (name, attribute string) {
	if arg.Kind == yaml.SequenceNode && len(arg.Content) == 2 {
		return arg.Content[0].Value, arg.Content[1].Value
	}
	name, attribute, _ = strings.Cut(arg.Value, ".")
	return name, attribute
}

var placeholder = regexp.MustCompile(`\$\{([^}]*)\}`)

// sub resolves Fn::Sub, with or without its own variables.
func (r *reader) sub(n, arg *yaml.Node) *yaml.Node {
	pattern, own := arg.Value, (*yaml.Node)(nil)
	if arg.Kind == yaml.SequenceNode {
		if len(arg.Content) != 2 {
			r.refuse(n, "Fn::Sub needs a string and a mapping")
			return nil
		}
		pattern, own = arg.Content[0].Value, follow(arg.Content[1])
	}

	return scalar(n, placeholder.ReplaceAllStringFunc(pattern, func(m string) string {
		name := m[2 : len(m)-1]
		if literal, ok := strings.CutPrefix(name, "!"); ok {
			return "${" + literal + "}"
		}
		var v *yaml.Node
		switch {
		case member(own, name) != nil:
			v = r.get(own, name)
		case strings.Contains(name, "."):
			v = r.getAtt(n, scalar(n, name))
		default:
			v = r.ref(n, name)
		}
		return value(v)
	}))
}

// join resolves Fn::Join.
func (r *reader) join(n, arg *yaml.Node) *yaml.Node {
	if len(arg.Content) != 2 {
		r.refuse(n, "Fn::Join needs a delimiter and a list")
		return nil
	}
	var parts []string
	for _, item := range r.list(arg.Content[1]) {
		parts = append(parts, value(item))
	}
	return scalar(n, strings.Join(parts, arg.Content[0].Value))
}

// split resolves Fn::Split.
func (r *reader) split(n, arg *yaml.Node) *yaml.Node {
	if len(arg.Content) != 2 {
		r.refuse(n, "Fn::Split needs a delimiter and a string")
		return nil
	}
	list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Line: n.Line}
	for part := range strings.SplitSeq(value(r.eval(arg.Content[1])), arg.Content[0].Value) {
		list.Content = append(list.Content, scalar(n, part))
	}
	return list
}

// choose resolves Fn::Select.
func (r *reader) choose(n, arg *yaml.Node) *yaml.Node {
	if len(arg.Content) != 2 {
		r.refuse(n, "Fn::Select needs an index and a list")
		return nil
	}
	list := r.list(arg.Content[1])
	i, err := strconv.Atoi(value(r.eval(arg.Content[0])))
	if err != nil || i < 0 || i >= len(list) {
		r.refuse(n, "Fn::Select has no item %s", value(arg.Content[0]))
		return nil
	}
	return list[i]
}

// list returns the resolved items of a list.
func (r *reader) list(n *yaml.Node) []*yaml.Node {
	v := r.eval(n)
	if v == nil {
		return nil
	}
	items := make([]*yaml.Node, 0, len(v.Content))
	for _, item := range v.Content {
		if e := r.eval(item); e != nil {
			items = append(items, e)
		}
	}
	return items
}

// findInMap resolves Fn::FindInMap.
func (r *reader) findInMap(n, arg *yaml.Node) *yaml.Node {
	if len(arg.Content) != 3 {
		r.refuse(n, "Fn::FindInMap needs a map and two keys")
		return nil
	}
	found := member(r.root, "Mappings")
	for _, key := range arg.Content {
		name := value(r.eval(key))
		if found = member(found, name); found == nil {
			r.refuse(n, "Fn::FindInMap finds no %q", name)
			return nil
		}
	}
	return found
}

// condition says whether the named condition holds.
func (r *reader) condition(n *yaml.Node, name string) bool {
	if held, ok := r.conditions[name]; ok {
		return held
	}
	body := member(member(r.root, "Conditions"), name)
	if body == nil {
		r.refuse(n, "%q is not a condition", name)
		return false
	}
	if slices.Contains(r.resolving, name) {
		r.refuse(body, "the condition %q depends on itself", name)
		return false
	}
	r.resolving = append(r.resolving, name)
	held := r.test(body)
	r.resolving = r.resolving[:len(r.resolving)-1]
	r.conditions[name] = held
	return held
}

// test evaluates a condition function.
func (r *reader) test(n *yaml.Node) bool {
	name, arg := intrinsic(follow(n))
	switch name {
	case "Condition":
		return r.condition(n, arg.Value)
	case "Fn::Equals":
		if len(arg.Content) != 2 {
			r.refuse(n, "Fn::Equals needs two values")
			return false
		}
		return value(r.eval(arg.Content[0])) == value(r.eval(arg.Content[1]))
	case "Fn::Not":
		return len(arg.Content) == 1 && !r.test(arg.Content[0])
	case "Fn::And":
		return !slices.ContainsFunc(arg.Content, func(c *yaml.Node) bool { return !r.test(c) })
	case "Fn::Or":
		return slices.ContainsFunc(arg.Content, r.test)
	default:
		r.refuse(n, "the local API does not resolve this condition")
		return false
	}
}
