// Package translated checks the stack that CloudFormation gets after the Serverless transform. SAM adds
// roles, permissions, versions and deployment groups that are not in template.yaml; the rules here check
// all of them.
//
// Each rule is a function that returns what is wrong and what to do about it. The tests run it on the
// stack of every environment, where it must find nothing, and on planted faults, which it must name.
package translated

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Authorizer is the logical id of the function without alias and gradual deployment: sam local skips an
// authorizer behind an alias and leaves its routes open.
const Authorizer = "AuthorizerFunction"

const (
	// basics is the managed policy that every role has.
	basics = "FunctionBasics"
	limits = "RateLimitBasics"
	// configVersion is the parameter that changes whenever another one does.
	configVersion = "ConfigVersion"
)

// CloudFormation types that the rules know.
const (
	typeAlarm        = "AWS::CloudWatch::Alarm"
	typeAlias        = "AWS::Lambda::Alias"
	typeAPI          = "AWS::ApiGatewayV2::Api"
	typeApplication  = "AWS::CodeDeploy::Application"
	typeDashboard    = "AWS::CloudWatch::Dashboard"
	typeDeployment   = "AWS::CodeDeploy::DeploymentGroup"
	typeFunction     = "AWS::Lambda::Function"
	typeLogGroup     = "AWS::Logs::LogGroup"
	typeMetricFilter = "AWS::Logs::MetricFilter"
	typePermission   = "AWS::Lambda::Permission"
	typeRole         = "AWS::IAM::Role"
	typeSecret       = "AWS::SecretsManager::Secret"
	typeStage        = "AWS::ApiGatewayV2::Stage"
	typeTable        = "AWS::DynamoDB::Table"
	typeVersion      = "AWS::Lambda::Version"
)

// Stack is a translated template.
type Stack struct {
	// Parameters by name; their defaults are the values of the translated environment.
	Parameters map[string]Parameter
	// Resources by logical id.
	Resources map[string]Resource
}

// Parameter is a parameter of the template.
type Parameter struct {
	// Default is a string or a number; nil is none.
	Default any
	// AllowedPattern is the regular expression of its values; empty is none.
	AllowedPattern string
}

// Resource is a resource of the template; intrinsic functions in it are not resolved.
type Resource struct {
	Type                string
	DeletionPolicy      string
	UpdateReplacePolicy string
	UpdatePolicy        map[string]any
	Properties          map[string]any
}

// Read reads a translated template from its JSON.
func Read(data []byte) (Stack, error) {
	var s Stack
	if err := json.Unmarshal(data, &s); err != nil {
		return Stack{}, fmt.Errorf("read translated template: %w", err)
	}
	return s, nil
}

// of lists the logical ids of a type in order.
func (s Stack) of(kind string) []string {
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(s.Resources)) {
		if s.Resources[id].Type == kind {
			ids = append(ids, id)
		}
	}
	return ids
}

// is reports whether the logical id is that of a resource of the type.
func (s Stack) is(id, kind string) bool { return id != "" && s.Resources[id].Type == kind }

// number resolves a number or a parameter; false if the value is not a number.
func (s Stack) number(v any) (float64, bool) {
	if p, ok := s.Parameters[ref(v)]; ok {
		v = p.Default
	}
	switch v := v.(type) {
	case float64:
		return v, true
	case string:
		n, err := strconv.ParseFloat(v, 64)
		return n, err == nil
	default:
		return 0, false
	}
}

// truth resolves a boolean or a parameter.
func (s Stack) truth(v any) bool {
	if p, ok := s.Parameters[ref(v)]; ok {
		v = p.Default
	}
	return v == true || v == "true"
}

// at returns the value at a path of keys; nil if there is none.
func at(v any, path ...string) any {
	for _, key := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[key]
	}
	return v
}

// text is the string at a path of keys; empty if there is none.
func text(v any, path ...string) string {
	s, _ := at(v, path...).(string)
	return s
}

// ref is the name in a Ref; empty for anything else.
func ref(v any) string { return text(v, "Ref") }

// attribute is the logical id in a GetAtt of the attribute; empty for anything else.
func attribute(v any, name string) string {
	switch v := at(v, "Fn::GetAtt").(type) {
	case []any:
		if len(v) == 2 && v[1] == name {
			id, _ := v[0].(string)
			return id
		}
	case string:
		if id, found := strings.CutSuffix(v, "."+name); found {
			return id
		}
	}
	return ""
}

// list returns v's elements, or v alone if it is not a list; nothing for nil.
func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

// placeholder is a name in the text of a Sub.
var placeholder = regexp.MustCompile(`\$\{([^}]*)\}`)

// names lists the names that v refers to by Ref, GetAtt or Sub, sorted and without attributes.
func names(v any) []string {
	found := map[string]bool{}
	collect(v, found)
	return slices.Sorted(maps.Keys(found))
}

func collect(v any, found map[string]bool) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			collect(e, found)
		}
	case map[string]any:
		if id := ref(v); id != "" {
			found[id] = true
		}
		if parts := list(v["Fn::GetAtt"]); len(parts) > 0 {
			id, _, _ := strings.Cut(fmt.Sprint(parts[0]), ".")
			found[id] = true
		}
		if sub := list(v["Fn::Sub"]); len(sub) > 0 {
			var local map[string]any
			if len(sub) == 2 {
				local, _ = sub[1].(map[string]any)
			}
			for _, match := range placeholder.FindAllStringSubmatch(fmt.Sprint(sub[0]), -1) {
				if _, ok := local[match[1]]; !ok {
					id, _, _ := strings.Cut(match[1], ".")
					found[id] = true
				}
			}
		}
		for _, e := range v {
			collect(e, found)
		}
	}
}

// faults collects sentences about what is wrong.
type faults []string

func (f *faults) add(format string, args ...any) {
	*f = append(*f, fmt.Sprintf(format, args...))
}
