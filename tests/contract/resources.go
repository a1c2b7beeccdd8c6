package contract

import (
	"fmt"

	"go.yaml.in/yaml/v4"
)

// Resource is a resource of template.yaml; nothing in it is resolved.
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

// find returns the node at a path of keys; nil when there is none. It follows aliases.
func find(n *yaml.Node, path ...string) *yaml.Node {
	for _, key := range path {
		if n != nil && n.Kind == yaml.AliasNode {
			n = n.Alias
		}
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

// statements calls visit with every policy statement below n, inside conditions too.
func statements(n *yaml.Node, visit func(*yaml.Node)) {
	if n == nil {
		return
	}
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if find(n, "Effect") != nil {
		visit(n)
	}
	for _, child := range n.Content {
		statements(child, visit)
	}
}
