// Package translated holds the stack that CloudFormation really gets, after the Serverless transform,
// to what a good stack has. SAM adds roles, permissions, versions and deployment groups that nobody
// sees in template.yaml; the rules here look at all of them.
//
// Each rule is a function from the stack to the list of faults it found, so that a test can show it
// both the real stack, where it must find none, and a planted fault, which it must name.
package translated

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Authorizer is the logical id of the function that is exempt from alias and gradual deployment: the
// API names it without an alias, because sam local would otherwise leave its routes open.
const Authorizer = "AuthorizerFunction"

const (
	// basics is the managed policy with the grants of every function.
	basics = "FunctionBasics"
	// configVersion is the parameter that changes with every other one.
	configVersion = "ConfigVersion"
)

// CloudFormation types that the rules know.
const (
	typeAlarm        = "AWS::CloudWatch::Alarm"
	typeAlias        = "AWS::Lambda::Alias"
	typeAPI          = "AWS::ApiGatewayV2::Api"
	typeApplication  = "AWS::CodeDeploy::Application"
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
	// Parameters by name, with the values of the environment that was translated as defaults.
	Parameters map[string]Parameter
	// Conditions by name, as they are written.
	Conditions map[string]any
	// Resources by logical id.
	Resources map[string]Resource
}

// Parameter is a parameter of the template.
type Parameter struct {
	// Default is a string or a number; nil is none.
	Default any
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

// is says whether the logical id names a resource of the type.
func (s Stack) is(id, kind string) bool { return id != "" && s.Resources[id].Type == kind }

// number resolves a number that may be a parameter's; false when it is none.
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

// truth resolves a boolean that may be a parameter's.
func (s Stack) truth(v any) bool {
	if p, ok := s.Parameters[ref(v)]; ok {
		v = p.Default
	}
	return v == true || v == "true"
}

// at returns the value at a path of keys; nil when there is none.
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

// text is the string at a path of keys; empty when there is none.
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

// list returns v's elements, or v alone when it is no list; nothing for nil.
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

// names lists every name that v refers to, by Ref, GetAtt or Sub, sorted; attributes are cut off.
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
			for _, name := range placeholders(fmt.Sprint(sub[0])) {
				if _, ok := local[name]; !ok {
					id, _, _ := strings.Cut(name, ".")
					found[id] = true
				}
			}
		}
		for _, e := range v {
			collect(e, found)
		}
	}
}

// placeholders lists the names in "${…}" of a Sub's text.
func placeholders(s string) []string {
	var found []string
	for {
		_, rest, ok := strings.Cut(s, "${")
		if !ok {
			return found
		}
		name, after, ok := strings.Cut(rest, "}")
		if !ok {
			return found
		}
		found, s = append(found, name), after
	}
}

// faults collects sentences about what is wrong.
type faults []string

func (f *faults) add(format string, args ...any) {
	*f = append(*f, fmt.Sprintf(format, args...))
}
