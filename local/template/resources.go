package template

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

const (
	typeFunction = "AWS::Serverless::Function"
	typeHTTPAPI  = "AWS::Serverless::HttpApi"
	typeTable    = "AWS::DynamoDB::Table"
	typeSecret   = "AWS::SecretsManager::Secret"
)

// onlyOnAWS reports whether a resource type has no effect on what a client sees.
func onlyOnAWS(resourceType string) bool {
	return slices.ContainsFunc([]string{
		"AWS::IAM::", "AWS::Logs::", "AWS::CloudWatch::", "AWS::Lambda::Permission", "AWS::KMS::",
		"AWS::SNS::", "AWS::ApplicationAutoScaling::", "AWS::CodeDeploy::", "AWS::SQS::QueuePolicy",
		"AWS::Scheduler::ScheduleGroup",
	}, func(prefix string) bool { return strings.HasPrefix(resourceType, prefix) })
}

// template reads the whole file: parameters first, because everything may refer to them, then the
// conditions, and the API before the functions, because their routes name its authorizers.
func (r *reader) template() *Template {
	r.only("the template", r.root,
		[]string{"Parameters", "Conditions", "Globals", "Resources"},
		[]string{"AWSTemplateFormatVersion", "Transform", "Description", "Metadata", "Rules", "Outputs"})

	t := &Template{Parameters: r.readParameters()}
	r.readConditions()
	globals := member(r.root, "Globals")
	r.only("Globals", globals, []string{"Function"}, nil)

	var functions []resource
	members(member(r.root, "Resources"), func(key, body *yaml.Node) {
		res := resource{id: key.Value, kind: value(member(body, "Type")), line: key, body: body}
		if c := member(body, "Condition"); c != nil && !r.condition(c, c.Value) {
			return
		}
		switch res.kind {
		case typeFunction:
			functions = append(functions, res)
		case typeHTTPAPI:
			if t.API != nil {
				r.refuse(key, "%s is a second HTTP API; the local API serves one", res.id)
				return
			}
			t.API = r.api(res, member(body, "Properties"))
		case typeTable:
			t.Tables = append(t.Tables, r.table(res))
		case typeQueue:
			t.Queues = append(t.Queues, r.queue(res))
		case typeSecret:
			t.Secrets = append(t.Secrets, r.secret(res))
		default:
			if !onlyOnAWS(res.kind) {
				r.refuse(key, "%s is an %s, which the local API does not serve", res.id, res.kind)
			}
		}
	})
	for _, res := range functions {
		t.Functions = append(t.Functions, r.function(res, r.properties(res, member(globals, "Function")), t.API))
	}
	r.crossCheck(t)
	return t
}

// resource is one entry of Resources.
type resource struct {
	id, kind   string
	line, body *yaml.Node
}

// properties returns the resource's properties merged with the Globals that it does not ignore.
func (r *reader) properties(res resource, globals *yaml.Node) *yaml.Node {
	own := member(res.body, "Properties")
	ignored := member(res.body, "IgnoreGlobals")
	if ignored == nil || globals == nil {
		return merge(globals, own)
	}
	if ignored.Value == "*" {
		return own
	}
	kept := *globals
	kept.Content = nil
	members(globals, func(key, v *yaml.Node) {
		if !slices.ContainsFunc(ignored.Content, func(n *yaml.Node) bool { return n.Value == key.Value }) {
			kept.Content = append(kept.Content, key, v)
		}
	})
	return merge(&kept, own)
}

// readParameters returns the value of every parameter.
func (r *reader) readParameters() map[string]string {
	values := map[string]string{}
	r.parameters = map[string]*yaml.Node{}
	declared := member(r.root, "Parameters")
	members(declared, func(key, body *yaml.Node) {
		node := member(body, "Default")
		if standard, ok := r.opts.Defaults[key.Value]; ok {
			node = scalar(key, standard)
		}
		if override, ok := r.opts.Parameters[key.Value]; ok {
			node = scalar(key, override)
		}
		if node == nil {
			r.refuse(key, "the parameter %s has no default and was given no value", key.Value)
			return
		}
		if kind := value(member(body, "Type")); kind != "String" && kind != "Number" {
			r.refuse(key, "the parameter %s has the type %s, which is not supported", key.Value, kind)
			return
		}
		r.checkParameter(key, body, node.Value)
		r.parameters[key.Value], values[key.Value] = scalar(node, node.Value), node.Value
	})
	for name := range r.opts.Parameters {
		if member(declared, name) == nil {
			r.refuse(declared, "unknown parameter %s", name)
		}
	}
	return values
}

// checkParameter checks a value against the parameter's own constraints.
func (r *reader) checkParameter(key, body *yaml.Node, v string) {
	if allowed := member(body, "AllowedValues"); allowed != nil {
		if !slices.ContainsFunc(allowed.Content, func(n *yaml.Node) bool { return n.Value == v }) {
			r.refuse(key, "the parameter %s may not be %q", key.Value, v)
		}
	}
	if pattern := member(body, "AllowedPattern"); pattern != nil {
		re, err := regexp.Compile(`\A(?:` + pattern.Value + `)\z`)
		if err != nil || !re.MatchString(v) {
			r.refuse(key, "the parameter %s may not be %q: it does not match %s", key.Value, v, pattern.Value)
		}
	}
	for bound, beyond := range map[string]func(n, limit float64) bool{
		"MinValue": func(n, limit float64) bool { return n < limit },
		"MaxValue": func(n, limit float64) bool { return n > limit },
	} {
		limit := member(body, bound)
		if limit == nil {
			continue
		}
		l, _ := strconv.ParseFloat(limit.Value, 64)
		n, err := strconv.ParseFloat(v, 64)
		if err != nil || beyond(n, l) {
			r.refuse(key, "the parameter %s may not be %q: its %s is %s", key.Value, v, bound, limit.Value)
		}
	}
}

// secret reads a generated secret.
func (r *reader) secret(res resource) Secret {
	props := member(res.body, "Properties")
	generate := r.get(props, "GenerateSecretString")
	if generate == nil {
		r.refuse(res.line, "%s has no GenerateSecretString: the local API makes secrets, it does not read them from the template", res.id)
	}
	return Secret{
		LogicalID: res.id,
		Name:      r.physical(res.body, res.id),
		Template:  r.text(generate, "SecretStringTemplate", ""),
		Key:       r.text(generate, "GenerateStringKey", ""),
		Length:    r.number(generate, "PasswordLength", 32),
	}
}

// crossCheck finds the problems that need the whole template.
func (r *reader) crossCheck(t *Template) {
	r.checkQueues(t)
	r.checkSources(t)
	seen := map[string]string{}
	for _, f := range t.Functions {
		for _, route := range f.Routes {
			key := route.Key()
			if other, taken := seen[shape(key)]; taken {
				r.refuse(&yaml.Node{Line: route.line}, "%s is the route of %s already", key, other)
			}
			seen[shape(key)] = f.LogicalID
		}
	}
	if t.API == nil {
		return
	}
	keys := map[string]bool{}
	for _, f := range t.Functions {
		for _, route := range f.Routes {
			keys[route.Key()] = true
		}
	}
	for _, limit := range t.API.RouteThrottles {
		if !keys[limit.Key] { // AWS fails the deployment
			r.refuse(&yaml.Node{Line: limit.line}, "RouteSettings names the route %q, which does not exist", limit.Key)
		}
	}
	for _, a := range t.API.Authorizers {
		if _, ok := t.Function(a.Function); !ok && a.Function != "" {
			r.refuse(&yaml.Node{Line: a.line}, "the authorizer %s names the function %s, which does not exist", a.Name, a.Function)
		}
	}
}

// shape returns a route key without the names of its variables. Two routes of the same shape match the
// same requests.
func shape(key string) string {
	parts := strings.Split(key, "/")
	for i, p := range parts {
		if strings.HasPrefix(p, "{") {
			parts[i] = "{}"
			if strings.HasSuffix(p, "+}") {
				parts[i] = "{+}"
			}
		}
	}
	return path.Clean(strings.Join(parts, "/"))
}
