package template

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// reader holds the state of reading one file.
type reader struct {
	file       string
	opts       Options
	root       *yaml.Node
	parameters map[string]*yaml.Node
	conditions map[string]bool
	problems   []*Problem
}

// eval resolves n if it is an intrinsic function. Members and items of the result are resolved when
// they are read. Nil is AWS::NoValue, or a refusal that has been recorded.
func (r *reader) eval(n *yaml.Node) *yaml.Node {
	name, arg := intrinsic(n)
	switch name {
	case "":
		if n != nil && n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
			return nil
		}
		return n
	case "Ref":
		return r.ref(n, arg.Value)
	case "Fn::Sub":
		return r.sub(n, arg)
	case "Fn::GetAtt":
		return r.getAtt(n, arg)
	case "Fn::If":
		if len(arg.Content) != 3 {
			r.refuse(n, "Fn::If needs a condition and two values")
			return nil
		}
		if r.condition(n, arg.Content[0].Value) {
			return r.eval(arg.Content[1])
		}
		return r.eval(arg.Content[2])
	case "Fn::Equals", "Fn::Not", "Fn::Or":
		return scalar(n, strconv.FormatBool(r.test(n)))
	default:
		r.refuse(n, "intrinsic %s is not supported", name)
		return nil
	}
}

// scalar returns a plain value at the place of n.
func scalar(n *yaml.Node, value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value, Line: n.Line, Column: n.Column}
}

// ref resolves a parameter, a pseudo parameter or a resource.
func (r *reader) ref(n *yaml.Node, name string) *yaml.Node {
	switch name {
	case "AWS::NoValue":
		return nil
	case "AWS::Region":
		return scalar(n, region)
	case "AWS::AccountId":
		return scalar(n, accountID)
	case "AWS::StackName":
		return scalar(n, stackName)
	}
	if value, ok := r.parameters[name]; ok {
		return value
	}
	resource := member(member(r.root, "Resources"), name)
	if resource == nil {
		r.refuse(n, "%q is neither a parameter nor a resource", name)
		return nil
	}
	if value(member(resource, "Type")) == typeQueue {
		return scalar(n, QueueURL(r.queueName(resource, name)))
	}
	return scalar(n, r.physical(resource, name))
}

// physical returns what a reference to a resource yields.
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

// getAtt resolves the ARN of a function or a table, and the attributes of a queue.
func (r *reader) getAtt(n, arg *yaml.Node) *yaml.Node {
	name, attribute := attributeOf(arg)
	resource := member(member(r.root, "Resources"), name)
	if resource == nil {
		r.refuse(n, "%q is not a resource", name)
		return nil
	}
	kind := value(member(resource, "Type"))
	if kind == typeQueue {
		if v, ok := r.queueReference(resource, name, attribute); ok {
			return scalar(n, v)
		}
	}
	switch kind + "." + attribute {
	case typeFunction + ".Arn":
		return scalar(n, FunctionARN(name))
	case typeTable + ".Arn":
		return scalar(n, "arn:aws:dynamodb:"+region+":"+accountID+":table/"+r.physical(resource, name))
	case typeTable + ".StreamArn":
		if member(member(resource, "Properties"), "StreamSpecification") == nil {
			r.refuse(n, "%s has no StreamSpecification, so it has no StreamArn", name)
			return nil
		}
		return scalar(n, "arn:aws:dynamodb:"+region+":"+accountID+":table/"+r.physical(resource, name)+"/stream/local")
	default:
		r.refuse(n, "attribute %s of %s (%s) is not supported", attribute, name, kind)
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
		pattern, own = arg.Content[0].Value, arg.Content[1]
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

// readConditions evaluates the conditions in the order of the file. They do not refer to each other.
func (r *reader) readConditions() {
	members(member(r.root, "Conditions"), func(key, body *yaml.Node) {
		r.conditions[key.Value] = r.test(body)
	})
}

// condition returns the value of the named condition.
func (r *reader) condition(n *yaml.Node, name string) bool {
	holds, ok := r.conditions[name]
	if !ok {
		r.refuse(n, "%q is not a condition", name)
	}
	return holds
}

// test evaluates a condition function.
func (r *reader) test(n *yaml.Node) bool {
	switch name, arg := intrinsic(n); name {
	case "Fn::Equals":
		if len(arg.Content) != 2 {
			r.refuse(n, "Fn::Equals needs two values")
			return false
		}
		return value(r.eval(arg.Content[0])) == value(r.eval(arg.Content[1]))
	case "Fn::Not":
		if len(arg.Content) != 1 {
			r.refuse(n, "Fn::Not needs one condition")
			return false
		}
		return !r.test(arg.Content[0])
	case "Fn::Or":
		return slices.ContainsFunc(arg.Content, r.test)
	case "":
		r.refuse(n, "a condition must be Fn::Equals, Fn::Not or Fn::Or")
	default:
		r.refuse(n, "intrinsic %s is not supported", name)
	}
	return false
}
