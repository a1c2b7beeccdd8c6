package template

import "go.yaml.in/yaml/v4"

// table reads a DynamoDB table.
func (r *reader) table(res resource) Table {
	props := member(res.body, "Properties")
	r.only(res.id, props,
		[]string{
			"TableName", "KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes",
			"TimeToLiveSpecification", "StreamSpecification", "BillingMode",
		},
		[]string{
			"ContributorInsightsSpecification", "DeletionProtectionEnabled", "OnDemandThroughput",
			"PointInTimeRecoverySpecification", "ProvisionedThroughput", "ResourcePolicy", "SSESpecification",
			"TableClass", "Tags", "WarmThroughput",
		})

	t := Table{LogicalID: res.id, Name: r.physical(res.body, res.id), Attributes: map[string]string{}}
	t.HashKey, t.RangeKey = r.keys(props)
	if t.HashKey == "" {
		r.refuse(res.line, "%s has no hash key", res.id)
	}
	for _, a := range r.items(props, "AttributeDefinitions") {
		t.Attributes[r.text(a, "AttributeName", "")] = r.text(a, "AttributeType", "")
	}
	for _, i := range r.items(props, "GlobalSecondaryIndexes") {
		t.Indexes = append(t.Indexes, r.index(i))
	}
	for _, key := range t.keyAttributes() {
		if t.Attributes[key] == "" {
			r.refuse(res.line, "%s has the key %s without an AttributeDefinition", res.id, key)
		}
	}

	if ttl := r.get(props, "TimeToLiveSpecification"); r.flag(ttl, "Enabled") {
		t.TTLAttribute = r.text(ttl, "AttributeName", "")
	}
	t.StreamView = r.text(r.get(props, "StreamSpecification"), "StreamViewType", "")
	return t
}

// keyAttributes lists every attribute that is a key of the table or of an index.
func (t Table) keyAttributes() []string {
	keys := []string{t.HashKey, t.RangeKey}
	for _, i := range t.Indexes {
		keys = append(keys, i.HashKey, i.RangeKey)
	}
	named := keys[:0]
	for _, k := range keys {
		if k != "" {
			named = append(named, k)
		}
	}
	return named
}

func (r *reader) index(n *yaml.Node) Index {
	i := Index{Name: r.text(n, "IndexName", "")}
	i.HashKey, i.RangeKey = r.keys(n)
	projection := r.get(n, "Projection")
	i.Projection = r.text(projection, "ProjectionType", "ALL")
	i.Include = r.texts(projection, "NonKeyAttributes")
	return i
}

func (r *reader) keys(n *yaml.Node) (hash, ranged string) {
	for _, k := range r.items(n, "KeySchema") {
		switch name := r.text(k, "AttributeName", ""); r.text(k, "KeyType", "") {
		case "HASH":
			hash = name
		case "RANGE":
			ranged = name
		default:
			r.refuse(k, "the key %s is neither HASH nor RANGE", name)
		}
	}
	return hash, ranged
}
