package contract

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/tienda-dev/tienda/local/record"
	"github.com/tienda-dev/tienda/local/template"
	"github.com/tienda-dev/tienda/shared/api"
)

// allowed calls visit with every statement of a role and of its managed policies.
func allowed(role Resource, resources map[string]Resource, visit func(*yaml.Node)) {
	statements(find(role.Properties, "Policies"), visit)
	for _, policy := range scalars(find(role.Properties, "ManagedPolicyArns")) {
		statements(find(resources[policy].Properties, "PolicyDocument"), visit)
	}
}

// Grants lists the DynamoDB actions that the functions' roles allow, each with one kind of partition keys.
// Tables are logical ids. A statement on a table must name the kinds: without them a role would reach every
// item. IAM compares all keys of a request with one statement, so an action on a table may be in only one.
func Grants(t *template.Template, resources map[string]Resource) ([]record.Action, error) {
	var all []record.Action
	for _, fn := range t.Functions {
		var wrong []error
		first := map[record.Action]bool{}
		allowed(resources[fn.Role], resources, func(statement *yaml.Node) {
			for _, action := range scalars(find(statement, "Action")) {
				if !strings.HasPrefix(action, "dynamodb:") {
					continue
				}
				for _, resource := range elements(find(statement, "Resource")) {
					if streamOf(resource) { // Lambda reads it, not the function
						continue
					}
					table, index, ok := tableOf(resource)
					if !ok {
						wrong = append(wrong, fmt.Errorf("template.yaml:%d: %s: want !GetAtt Table.Arn or !Sub ${Table.Arn}/index/Name as the resource of %s", resource.Line, fn.Role, action))
						continue
					}
					granted := record.Action{Function: fn.Name, Name: action, Table: table, Index: index}
					if first[granted] {
						wrong = append(wrong, fmt.Errorf("template.yaml:%d: %s: %s is in a second statement: join their keys", statement.Line, fn.Role, granted))
					}
					first[granted] = true
					keys, err := leadingKeys(statement, index)
					if err != nil {
						wrong = append(wrong, fmt.Errorf("template.yaml:%d: %s: %s: %w", statement.Line, fn.Role, granted, err))
					}
					for _, granted.Key = range keys {
						all = append(all, granted)
					}
				}
			}
		})
		if err := errors.Join(wrong...); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// everyFunctionNames reports whether the environment of each function names a secret.
func everyFunctionNames(t *template.Template, secret string) bool {
	return len(t.Functions) > 1 && !slices.ContainsFunc(t.Functions, func(fn template.Function) bool {
		return !slices.Contains(slices.Collect(maps.Values(fn.Environment)), secret)
	})
}

// keyKind is a kind of partition keys that a role may name, as record.Action.Key writes it.
var keyKind = regexp.MustCompile(`^[A-Z]+(#\*)?$`)

// leadingKeys returns the kinds of partition keys that a statement allows; one empty one on an index, which
// has one kind of items.
func leadingKeys(statement *yaml.Node, index string) ([]string, error) {
	condition := find(statement, "Condition")
	if index != "" {
		if condition != nil {
			return nil, errors.New("an index needs no condition")
		}
		return []string{""}, nil
	}
	keys := scalars(find(condition, "ForAllValues:StringLike", "dynamodb:LeadingKeys"))
	if len(keys) == 0 {
		return nil, errors.New("want Condition: {ForAllValues:StringLike: {dynamodb:LeadingKeys: [...]}} with the kinds of items")
	}
	for _, key := range keys {
		if !keyKind.MatchString(key) {
			return nil, fmt.Errorf("the key %q is not a kind of items: want KIND or KIND#*", key)
		}
	}
	return keys, nil
}

// Secrets compares, for each function, the secrets that its environment names with those that its role
// may read: one that it may not read fails only on AWS, and one that it does not use is a hole. The
// template must be read with its names unresolved, so that a secret is its logical id.
func Secrets(t *template.Template, resources map[string]Resource) []string {
	var f faults
	for _, fn := range t.Functions {
		var readable []string
		allowed(resources[fn.Role], resources, func(statement *yaml.Node) {
			for _, action := range scalars(find(statement, "Action")) {
				if !strings.HasPrefix(action, "secretsmanager:") {
					continue
				}
				if action != "secretsmanager:GetSecretValue" {
					f.add("%s allows %s: functions only read secrets, so allow secretsmanager:GetSecretValue", fn.Role, action)
				}
				for _, resource := range elements(find(statement, "Resource")) {
					if resource.Tag != "!Ref" {
						f.add("template.yaml:%d: %s: want !Ref of a secret as the resource", resource.Line, fn.Role)
						continue
					}
					readable = append(readable, resource.Value)
				}
			}
		})
		for _, secret := range t.Secrets {
			named := slices.Contains(slices.Collect(maps.Values(fn.Environment)), secret.LogicalID)
			switch may := slices.Contains(readable, secret.LogicalID); {
			case named && !may && everyFunctionNames(t, secret.LogicalID): // in Globals, for those whose role reads it
			case named && !may:
				f.add("the environment of %s names %s: let %s read it, or remove the variable", fn.Name, secret.LogicalID, fn.Role)
			case may && !named:
				f.add("%s may read %s, but the environment of %s does not name it: remove the grant, or add the variable", fn.Role, secret.LogicalID, fn.Name)
			}
		}
	}
	return f
}

// elements are a sequence's nodes, or the node itself.
func elements(n *yaml.Node) []*yaml.Node {
	switch {
	case n == nil:
		return nil
	case n.Kind == yaml.SequenceNode && n.Tag != "!GetAtt":
		return n.Content
	default:
		return []*yaml.Node{n}
	}
}

// streamOf reports whether a resource is the stream of a table.
func streamOf(n *yaml.Node) bool {
	return n.Tag == "!GetAtt" && strings.HasSuffix(strings.Join(scalars(n), "."), ".StreamArn")
}

// tableOf reads the table, and the index, whose ARN a resource is.
func tableOf(n *yaml.Node) (table, index string, ok bool) {
	switch n.Tag {
	case "!GetAtt":
		table, ok = strings.CutSuffix(strings.Join(scalars(n), "."), ".Arn")
		return table, "", ok
	case "!Sub":
		inner, found := strings.CutPrefix(n.Value, "${")
		if !found {
			return "", "", false
		}
		table, index, ok = strings.Cut(inner, ".Arn}/index/")
		return table, index, ok && !strings.ContainsAny(index, "/*$")
	default:
		return "", "", false
	}
}

// LeastPrivilege compares what the roles allow with what the functions did in a test run, in both
// directions: an action that is not allowed fails on AWS, and one that is never used is a hole.
// Tables are logical ids in both.
func LeastPrivilege(granted, seen []record.Action) []string {
	var f faults
	for _, action := range distinct(seen) {
		if !slices.Contains(granted, action) {
			f.add("%s: the function does it, but its role does not allow it: add the action to the role in template.yaml", action)
		}
	}
	for _, action := range distinct(granted) {
		if !slices.Contains(seen, action) {
			f.add("%s: the role allows it, but no test made the function do it: remove the action, or test what needs it", action)
		}
	}
	return f
}

// distinct returns the actions in order, each once.
func distinct(actions []record.Action) []record.Action {
	sorted := slices.Clone(actions)
	slices.SortFunc(sorted, func(a, b record.Action) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(sorted)
}

// Keyed checks that a function whose route has idempotency keys may read and write their records, and that no other one
// may. LeastPrivilege holds what else the function does with them.
func Keyed(routes []api.Route, granted []record.Action) []string {
	var f faults
	for _, route := range routes {
		for _, name := range []string{"dynamodb:GetItem", "dynamodb:PutItem"} {
			want := record.Action{Function: route.Name, Name: name, Table: "CommerceTable", Key: "ID#*"}
			switch has := slices.Contains(granted, want); {
			case route.Idempotency == api.KeyIgnored && has:
				f.add("%s: the route has no idempotency keys: remove the grant, or set Idempotency", want)
			case route.Idempotency != api.KeyIgnored && !has:
				f.add("%s: the route has idempotency keys: add the action to the role in template.yaml", want)
			}
		}
	}
	return f
}
