package template

import (
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// function reads one function from its properties, Globals included.
func (r *reader) function(res resource, props *yaml.Node, api *API) Function {
	what := res.id
	r.only(what, props,
		[]string{
			"CodeUri", "Handler", "Runtime", "MemorySize", "Timeout", "Environment",
			"ReservedConcurrentExecutions", "LoggingConfig", "Role", "Events", "AutoPublishAlias",
			"EventInvokeConfig",
		},
		[]string{
			"Architectures", "AutoPublishAliasAllProperties", "AutoPublishCodeSha256", "CodeSigningConfigArn", "DeploymentPreference",
			"Description", "FunctionName", "KmsKeyArn", "PermissionsBoundary", "Policies", "PropagateTags",
			"ProvisionedConcurrencyConfig", "RecursiveLoop", "RolePath", "RuntimeManagementConfig", "SnapStart",
			"SourceKMSKeyArn", "Tags", "Tracing", "VersionDeletionPolicy", "VersionDescription", "VpcConfig",
			"EphemeralStorage",
		})

	f := Function{
		LogicalID: res.id,
		Line:      res.line.Line,
		CodeURI:   r.text(props, "CodeUri", ""),
		Handler:   r.text(props, "Handler", ""),
		MemoryMB:  r.number(props, "MemorySize", 128),
		Timeout:   time.Duration(r.number(props, "Timeout", 3)) * time.Second,
		Alias:     r.text(props, "AutoPublishAlias", ""),
	}
	f.Name = lastElement(f.CodeURI)
	if f.CodeURI == "" {
		r.refuse(res.line, "%s has no CodeUri", what)
	}
	if runtime := r.text(props, "Runtime", ""); !strings.HasPrefix(runtime, "provided.") {
		at := member(props, "Runtime")
		if at == nil {
			at = res.line
		}
		r.refuse(at, "%s has the runtime %q; the local API runs provided.* binaries", what, runtime)
	}
	if r.get(props, "ReservedConcurrentExecutions") != nil {
		n := r.number(props, "ReservedConcurrentExecutions", 0)
		f.ReservedConcurrency = &n
	}

	logging := r.get(props, "LoggingConfig")
	f.LogLevel = r.text(logging, "ApplicationLogLevel", "")
	f.LogGroup = referenced(member(logging, "LogGroup"))
	f.Role = referenced(member(props, "Role"))

	f.Environment = map[string]string{}
	variables := r.get(r.get(props, "Environment"), "Variables")
	members(variables, func(key, v *yaml.Node) {
		resolved := r.eval(v)
		switch {
		case resolved == nil:
		case resolved.Kind != yaml.ScalarNode:
			r.refuse(v, "the variable %s of %s must be one value", key.Value, what)
		case strings.Contains(resolved.Value, "{{resolve:"):
			r.refuse(v, "the variable %s of %s is a dynamic reference, which is not supported", key.Value, what)
		default:
			f.Environment[key.Value] = resolved.Value
		}
	})

	f.Async = r.async(what, props)
	members(r.get(props, "Events"), func(key, event *yaml.Node) { r.event(key, event, &f, api) })
	return f
}

// route reads one HttpApi event.
func (r *reader) route(key, event *yaml.Node, what string, api *API) Route {
	props := member(event, "Properties")
	name := "the event " + key.Value + " of " + what
	r.only(name, props, []string{"ApiId", "Method", "Path", "PayloadFormatVersion", "Auth"}, nil)

	route := Route{
		Method: strings.ToUpper(r.text(props, "Method", "")),
		Path:   r.text(props, "Path", ""),
		line:   key.Line,
	}
	if api == nil || referenced(member(props, "ApiId")) != api.LogicalID {
		r.refuse(key, "%s does not name the template's HTTP API by ApiId: !Ref", name)
		return route
	}
	if (route.Path == "") != (route.Method == "") {
		r.refuse(key, "%s needs both Method and Path, or neither for the default route", name)
	}
	if route.Path != "" && !strings.HasPrefix(route.Path, "/") {
		r.refuse(member(props, "Path"), "%s has the path %q, which does not start with a slash", name, route.Path)
	}
	if route.Path == "/$default" || route.Path == "$default" {
		route.Path, route.Method = "", ""
	}
	if v := r.text(props, "PayloadFormatVersion", "2.0"); v != "2.0" {
		r.refuse(member(props, "PayloadFormatVersion"), "%s has payload version %s; the local API sends 2.0", name, v)
	}

	auth := r.get(props, "Auth")
	r.only("Auth of "+name, auth, []string{"Authorizer"}, nil)
	route.Authorizer = r.text(auth, "Authorizer", "")
	if _, ok := api.Authorizer(route.Authorizer); !ok && route.Authorizer != "" {
		r.refuse(member(auth, "Authorizer"), "%s names the authorizer %s, which %s does not declare", name, route.Authorizer, api.LogicalID)
	}
	return route
}

// referenced returns the logical id in a !Ref or !GetAtt, empty for anything else.
func referenced(n *yaml.Node) string {
	switch name, arg := intrinsic(n); name {
	case "Ref":
		return arg.Value
	case "Fn::GetAtt":
		id, _ := attributeOf(arg)
		return id
	default:
		return ""
	}
}
