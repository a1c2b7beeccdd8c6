package translated

import (
	"maps"
	"slices"
)

// TableRule is what a table must be.
type TableRule struct {
	// TTL is the attribute that holds the expiry of an item; empty is none.
	TTL string
	// PointInTimeRecovery is whether the table is backed up.
	PointInTimeRecovery bool
	// Stream is the view of its stream; empty is none.
	Stream string
	// Protected is whether DynamoDB refuses to delete the table.
	Protected bool
}

// Tables checks that every table is in want and has what it says, that it is encrypted with a key whose
// use can be audited, is paid by request, and survives the stack.
func Tables(s Stack, want map[string]TableRule) []string {
	var f faults
	for _, id := range s.of(typeTable) {
		resource := s.Resources[id]
		props := resource.Properties
		rule, ok := want[id]
		if !ok {
			f.add("%s: this table is unknown: add what it must have to tables() in tests/contract/translated/repository_test.go", id)
			continue
		}
		ttl := text(props, "TimeToLiveSpecification", "AttributeName")
		if !s.truth(at(props, "TimeToLiveSpecification", "Enabled")) {
			ttl = ""
		}
		if ttl != rule.TTL {
			f.add("%s: its TimeToLiveSpecification has the attribute %q, want %q", id, ttl, rule.TTL)
		}
		if got := s.truth(at(props, "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled")); got != rule.PointInTimeRecovery {
			f.add("%s: point-in-time recovery is %t, want %t", id, got, rule.PointInTimeRecovery)
		}
		if got := text(props, "StreamSpecification", "StreamViewType"); got != rule.Stream {
			f.add("%s: its stream is %q, want %q", id, got, rule.Stream)
		}
		if !s.truth(at(props, "SSESpecification", "SSEEnabled")) {
			f.add("%s: it is not encrypted with a key of this account: set SSESpecification: {SSEEnabled: true}", id)
		}
		if props["BillingMode"] != "PAY_PER_REQUEST" {
			f.add("%s: its billing mode is %v, want PAY_PER_REQUEST", id, props["BillingMode"])
		}
		if rule.Protected && !s.truth(props["DeletionProtectionEnabled"]) {
			f.add("%s: it can be deleted: set DeletionProtectionEnabled: !Ref DeletionProtection", id)
		}
		if props["TableName"] != nil {
			f.add("%s: remove TableName: a table with a fixed name cannot be replaced", id)
		}
		f = append(f, kept(id, resource)...)
	}
	for _, id := range slices.Sorted(maps.Keys(want)) {
		if !s.is(id, typeTable) {
			f.add("%s: the template has no such table", id)
		}
	}
	return f
}

// Secrets checks that every secret survives the stack.
func Secrets(s Stack) []string {
	var f faults
	for _, id := range s.of(typeSecret) {
		f = append(f, kept(id, s.Resources[id])...)
		if s.Resources[id].Properties["SecretString"] != nil {
			f.add("%s: its value is in the template: use GenerateSecretString", id)
		}
	}
	return f
}

// kept checks that a resource outlives its stack and its replacement.
func kept(id string, r Resource) []string {
	var f faults
	if r.DeletionPolicy != "Retain" {
		f.add("%s: its DeletionPolicy is %q, want Retain", id, r.DeletionPolicy)
	}
	if r.UpdateReplacePolicy != "Retain" {
		f.add("%s: its UpdateReplacePolicy is %q, want Retain", id, r.UpdateReplacePolicy)
	}
	return f
}
