package template

import (
	"strconv"
	"time"

	"go.yaml.in/yaml/v4"
)

// api reads the HTTP API.
func (r *reader) api(res resource, props *yaml.Node) *API {
	r.only(res.id, props,
		[]string{"StageName", "CorsConfiguration", "Auth", "DefaultRouteSettings", "RouteSettings"},
		[]string{
			"AccessLogSettings", "Description", "DisableExecuteApiEndpoint", "FailOnWarnings", "Name",
			"PropagateTags", "RouteSettings", "Tags",
		})
	api := &API{
		LogicalID: res.id,
		CORS:      r.cors(props),
	}
	if stage := r.text(props, "StageName", "$default"); stage != "$default" {
		r.refuse(member(props, "StageName"), "%s has the stage %s; the local API serves $default only", res.id, stage)
	}

	api.Throttle = r.throttle("DefaultRouteSettings of "+res.id, member(props, "DefaultRouteSettings"))
	members(r.get(props, "RouteSettings"), func(key, settings *yaml.Node) {
		if t := r.throttle("RouteSettings of "+key.Value, settings); t != nil {
			api.RouteThrottles = append(api.RouteThrottles, RouteThrottle{Throttle: *t, Key: key.Value, line: key.Line})
		}
	})

	auth := r.get(props, "Auth")
	r.only("Auth of "+res.id, auth, []string{"Authorizers"}, nil)
	members(r.get(auth, "Authorizers"), func(key, body *yaml.Node) {
		api.Authorizers = append(api.Authorizers, r.authorizer(key, body))
	})
	return api
}

// throttle reads the settings of a stage or of a route. It returns nil where there is no limit.
func (r *reader) throttle(what string, n *yaml.Node) *Throttle {
	settings := r.eval(n)
	r.only(what, settings,
		[]string{"ThrottlingRateLimit", "ThrottlingBurstLimit"},
		[]string{"DetailedMetricsEnabled"})
	limit := r.get(settings, "ThrottlingRateLimit")
	burst := r.number(settings, "ThrottlingBurstLimit", 0)
	if limit == nil && member(settings, "ThrottlingBurstLimit") == nil {
		return nil
	}
	rate, err := strconv.ParseFloat(value(limit), 64)
	if err != nil || rate <= 0 || burst <= 0 {
		r.refuse(n, "%s must have a ThrottlingRateLimit and a ThrottlingBurstLimit above 0", what)
	}
	return &Throttle{Rate: rate, Burst: burst}
}

// cors reads CorsConfiguration.
func (r *reader) cors(props *yaml.Node) *CORS {
	n := r.get(props, "CorsConfiguration")
	if n == nil {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		r.refuse(n, "CorsConfiguration must be a mapping")
		return nil
	}
	r.only("CorsConfiguration", n, []string{
		"AllowOrigins", "AllowMethods", "AllowHeaders", "ExposeHeaders", "AllowCredentials", "MaxAge",
	}, nil)
	c := &CORS{
		AllowOrigins:     r.texts(n, "AllowOrigins"),
		AllowMethods:     r.texts(n, "AllowMethods"),
		AllowHeaders:     r.texts(n, "AllowHeaders"),
		ExposeHeaders:    r.texts(n, "ExposeHeaders"),
		AllowCredentials: r.flag(n, "AllowCredentials"),
		MaxAge:           time.Duration(r.number(n, "MaxAge", 0)) * time.Second,
	}
	for _, origin := range c.AllowOrigins {
		if origin == "*" && c.AllowCredentials {
			r.refuse(n, "CorsConfiguration allows credentials to every origin, which API Gateway refuses")
		}
	}
	return c
}

// authorizer reads one Lambda authorizer.
func (r *reader) authorizer(key, body *yaml.Node) Authorizer {
	a := Authorizer{Name: key.Value, line: key.Line}
	what := "the authorizer " + a.Name
	r.only(what, body,
		[]string{
			"FunctionArn", "Identity", "AuthorizerPayloadFormatVersion", "EnableSimpleResponses",
			"EnableFunctionDefaultPermissions",
		}, nil)

	name, arg := intrinsic(member(body, "FunctionArn"))
	if name != "Fn::GetAtt" {
		r.refuse(key, "%s must name its function by FunctionArn: !GetAtt Function.Arn", what)
		return a
	}
	a.Function, _ = attributeOf(arg)
	if !r.flag(body, "EnableFunctionDefaultPermissions") {
		r.refuse(key, "%s has no permission to invoke its function: on AWS every request would be a 500", what)
	}
	if version := r.text(body, "AuthorizerPayloadFormatVersion", ""); version != "2.0" {
		r.refuse(key, "%s has payload version %q; the local API sends 2.0", what, version)
	}
	if !r.flag(body, "EnableSimpleResponses") {
		r.refuse(key, "%s answers with IAM policies; the local API reads simple responses (EnableSimpleResponses: true)", what)
	}

	identity := r.get(body, "Identity")
	r.only("Identity of "+what, identity,
		[]string{"Headers", "Context", "ReauthorizeEvery"}, nil)
	for _, source := range []struct{ member, prefix string }{
		{"Headers", "$request.header."},
		{"Context", "$context."},
	} {
		for _, v := range r.texts(identity, source.member) {
			a.IdentitySources = append(a.IdentitySources, source.prefix+v)
		}
	}
	a.TTL = time.Duration(r.number(identity, "ReauthorizeEvery", 0)) * time.Second
	if len(a.IdentitySources) == 0 && a.TTL > 0 {
		r.refuse(member(identity, "ReauthorizeEvery"), "%s caches results but has no identity source as the cache key", what)
	}
	if identity != nil && member(identity, "ReauthorizeEvery") == nil && len(a.IdentitySources) > 0 {
		// API Gateway's own default.
		a.TTL = 300 * time.Second
	}
	return a
}
