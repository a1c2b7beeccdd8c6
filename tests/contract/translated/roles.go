package translated

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// codeDeployRole is the one role that SAM writes itself. It has AWS's policy for CodeDeploy; no function
// may use it.
const codeDeployRole = "CodeDeployServiceRole"

// statement is one policy statement with its condition; empty is none.
type statement struct {
	condition          string
	effect             string
	actions, resources []any
}

// Roles checks that every role, and the policy that all roles share, allows single actions on single
// resources of this stack. X-Ray's actions have no resource, and are allowed only under the condition that
// tracing is on.
//
// A grant that every function with a route has belongs in the shared policy, so that it is one edit.
func Roles(s Stack) []string {
	var f faults
	for _, policy := range []string{basics, limits} {
		for _, st := range statements(at(s.Resources[policy].Properties, "PolicyDocument", "Statement"), "") {
			f = append(f, s.statementFaults(policy, st)...)
		}
	}
	same := map[string]int{}
	for _, id := range s.of(typeRole) {
		props := s.Resources[id].Properties
		if id == codeDeployRole {
			if got := fmt.Sprint(principals(props)); got != "[codedeploy.amazonaws.com]" {
				f.add("%s: it may be assumed by %s, want CodeDeploy alone", id, got)
			}
			continue
		}
		if got := fmt.Sprint(principals(props)); got != "[lambda.amazonaws.com]" {
			f.add("%s: it may be assumed by %s, want Lambda alone", id, got)
		}
		managed := list(props["ManagedPolicyArns"])
		if ok := len(managed) == 1 || len(managed) == 2 && ref(managed[1]) == limits; !ok || ref(managed[0]) != basics {
			f.add("%s: its ManagedPolicyArns are %v, want [!Ref %s] or [!Ref %s, !Ref %s]", id, managed, basics, basics, limits)
		}
		own := map[string]bool{}
		for _, policy := range list(props["Policies"]) {
			for _, st := range statements(at(policy, "PolicyDocument", "Statement"), "") {
				f = append(f, s.statementFaults(id, st)...)
				for _, action := range st.actions {
					for _, resource := range st.resources {
						own[fmt.Sprint(action, " on ", resource)] = true
					}
				}
			}
		}
		for grant := range own {
			same[grant]++
		}
	}
	for _, grant := range slices.Sorted(maps.Keys(same)) {
		if same[grant] >= len(s.of(typeAlias)) {
			f.add("%s: add %s to it, and remove that from the role of every function", basics, grant)
		}
	}
	return f
}

// statementFaults checks one statement of a role.
func (s Stack) statementFaults(role string, st statement) []string {
	var f faults
	if st.effect != "Allow" || len(st.actions) == 0 || len(st.resources) == 0 {
		f.add("%s: a statement has not the form Effect: Allow, Action, Resource", role)
	}
	for _, action := range st.actions {
		if strings.Contains(fmt.Sprint(action), "*") {
			f.add("%s: it allows %q: name each action", role, action)
		}
	}
	onlyXRay := !slices.ContainsFunc(st.actions, func(a any) bool { return !strings.HasPrefix(fmt.Sprint(a), "xray:") })
	for _, resource := range st.resources {
		if resource == "*" {
			if !onlyXRay || st.condition == "" {
				f.add("%s: it allows %v on every resource: name the resource", role, st.actions)
			}
			continue
		}
		pattern, _ := resource.(string)
		if sub := list(at(resource, "Fn::Sub")); len(sub) > 0 {
			pattern, _ = sub[0].(string)
		}
		if strings.Contains(pattern, "*") {
			f.add("%s: it allows %v on %q: name the resource", role, st.actions, pattern)
		}
		// The headers of exports are the one secret that belongs to another stack.
		if ref(resource) == "OtlpHeadersSecretArn" && fmt.Sprint(st.actions) == "[secretsmanager:GetSecretValue]" && st.condition != "" {
			continue
		}
		if !slices.ContainsFunc(names(resource), func(name string) bool { return s.Resources[name].Type != "" }) {
			f.add("%s: it allows %v on %v, which is not a resource of this stack", role, st.actions, resource)
		}
	}
	return f
}

// statements lists the statements in v, including those in conditions.
func statements(v any, condition string) []statement {
	var all []statement
	for _, e := range list(v) {
		if branches := list(at(e, "Fn::If")); len(branches) == 3 {
			name, _ := branches[0].(string)
			all = append(all, statements(branches[1:], name)...)
			continue
		}
		if ref(e) == "AWS::NoValue" {
			continue
		}
		all = append(all, statement{
			condition: condition,
			effect:    text(e, "Effect"),
			actions:   list(at(e, "Action")),
			resources: list(at(e, "Resource")),
		})
	}
	return all
}

// principals lists the services that may assume a role.
func principals(role map[string]any) []any {
	var all []any
	for _, e := range list(at(role, "AssumeRolePolicyDocument", "Statement")) {
		principal, _ := at(e, "Principal").(map[string]any)
		for kind, values := range principal {
			for _, value := range list(values) {
				if kind != "Service" {
					value = fmt.Sprintf("%s %v", kind, value)
				}
				all = append(all, value)
			}
		}
		if principal == nil {
			all = append(all, at(e, "Principal"))
		}
	}
	return all
}
