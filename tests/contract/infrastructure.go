package contract

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/tienda-dev/tienda/local/template"
)

// Resource is a resource of the template as it is written: nothing is resolved.
type Resource struct {
	// Type is the CloudFormation type.
	Type string
	// Properties is a mapping, or nil.
	Properties *yaml.Node
}

// ReadResources returns the template's resources by logical id.
func ReadResources(data []byte) (map[string]Resource, error) {
	var file struct {
		Resources map[string]struct {
			Type       string    `yaml:"Type"`
			Properties yaml.Node `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(data, &file); err != nil {
		return nil, fmt.Errorf("read template: %w", err)
	}
	resources := make(map[string]Resource, len(file.Resources))
	for id, r := range file.Resources {
		resources[id] = Resource{Type: r.Type, Properties: &r.Properties}
	}
	return resources, nil
}

// find returns the node at a path of keys; nil when there is none.
func find(n *yaml.Node, path ...string) *yaml.Node {
	for _, key := range path {
		if n == nil || n.Kind != yaml.MappingNode {
			return nil
		}
		var next *yaml.Node
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				next = n.Content[i+1]
			}
		}
		n = next
	}
	return n
}

// walk calls visit with every mapping entry below n.
func walk(n *yaml.Node, visit func(key string, value *yaml.Node)) {
	if n == nil {
		return
	}
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			visit(n.Content[i].Value, n.Content[i+1])
		}
	}
	for _, child := range n.Content {
		walk(child, visit)
	}
}

// scalars are the values of a scalar or of a sequence of scalars.
func scalars(n *yaml.Node) []string {
	if n == nil {
		return nil
	}
	if n.Kind == yaml.ScalarNode {
		return []string{n.Value}
	}
	var values []string
	for _, child := range n.Content {
		if child.Kind == yaml.ScalarNode {
			values = append(values, child.Value)
		}
	}
	return values
}

// Infrastructure checks what every function must have beside its code: a role and a log group of
// its own under names that follow from it, a log retention, a timeout below the gateway's, and
// alarms on its errors and throttles.
func Infrastructure(t *template.Template, resources map[string]Resource) []string {
	var f faults
	for _, fn := range t.Functions {
		base := strings.TrimSuffix(fn.LogicalID, "Function")
		if want := base + "Role"; fn.Role != want || resources[want].Type != "AWS::IAM::Role" {
			f.add("%s has the role %q, want its own %s", fn.LogicalID, fn.Role, want)
		}
		group := resources[base+"LogGroup"]
		if fn.LogGroup != base+"LogGroup" || group.Type != "AWS::Logs::LogGroup" {
			f.add("%s has the log group %q, want its own %sLogGroup", fn.LogicalID, fn.LogGroup, base)
		} else if find(group.Properties, "RetentionInDays") == nil {
			f.add("%sLogGroup keeps logs for ever: it has no RetentionInDays", base)
		}
		if fn.Timeout >= gatewayTimeout {
			f.add("%s has a timeout of %s: the gateway gives up at %s", fn.LogicalID, fn.Timeout, gatewayTimeout)
		}
		if fn.LogFormat != "JSON" {
			f.add("%s logs %s, want JSON", fn.LogicalID, fn.LogFormat)
		}
		for _, metric := range []string{"Errors", "Throttles"} {
			if !alarmed(fn.LogicalID, metric, resources) {
				f.add("%s: no alarm watches its %s", fn.LogicalID, metric)
			}
		}
	}
	return f
}

// alarmed says whether an alarm watches the function's metric: one over all functions (a Metrics
// Insights query without a WHERE), or one with the function as its dimension.
func alarmed(function, metric string, resources map[string]Resource) bool {
	for _, r := range resources {
		if r.Type != "AWS::CloudWatch::Alarm" {
			continue
		}
		var covers bool
		walk(r.Properties, func(key string, value *yaml.Node) {
			query := strings.Join(strings.Fields(value.Value), " ")
			if key == "Expression" && strings.Contains(query, "SELECT SUM("+metric+`) FROM SCHEMA("AWS/Lambda"`) &&
				!strings.Contains(query, "WHERE") {
				covers = true
			}
		})
		if name := find(r.Properties, "MetricName"); name != nil && name.Value == metric {
			walk(find(r.Properties, "Dimensions"), func(key string, value *yaml.Node) {
				covers = covers || key == "Value" && value.Value == function
			})
		}
		if covers {
			return true
		}
	}
	return false
}

// Permissions checks that no role allows an action by wildcard, and that the only wildcard
// resource is X-Ray's, which knows no narrower one.
func Permissions(resources map[string]Resource) []string {
	var f faults
	for id, r := range resources {
		if r.Type != "AWS::IAM::Role" {
			continue
		}
		if find(r.Properties, "ManagedPolicyArns") != nil {
			f.add("%s has managed policies, which allow more than one function needs", id)
		}
		statements(find(r.Properties, "Policies"), func(statement *yaml.Node) {
			actions := scalars(find(statement, "Action"))
			for _, action := range actions {
				if strings.Contains(action, "*") {
					f.add("%s allows %q", id, action)
				}
			}
			onlyXRay := !slices.ContainsFunc(actions, func(a string) bool { return !strings.HasPrefix(a, "xray:") })
			if slices.Contains(scalars(find(statement, "Resource")), "*") && !onlyXRay {
				f.add("%s allows %q on every resource", id, actions)
			}
		})
	}
	slices.Sort(f)
	return f
}

// statements calls visit with every policy statement below n, inside conditions too.
func statements(n *yaml.Node, visit func(*yaml.Node)) {
	if n == nil {
		return
	}
	if find(n, "Effect") != nil {
		visit(n)
	}
	for _, child := range n.Content {
		statements(child, visit)
	}
}
