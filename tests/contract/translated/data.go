package translated

import (
	"maps"
	"slices"
)

// TableRule is what a table must be.
type TableRule struct {
	// TTL is the attribute by which items expire; empty is none.
	TTL string
	// PointInTimeRecovery says whether the table is backed up.
	PointInTimeRecovery bool
	// Stream is the view of its stream; empty is none.
	Stream string
	// Protected says whether DynamoDB refuses to delete the table in this environment.
	Protected bool
}

// Tables checks that every table is declared in want and is what it says there, that it is encrypted
// by a key whose use can be audited, paid by request, and survives the stack.
func Tables(s Stack, want map[string]TableRule) []string {
	var f faults
	for _, id := range s.of(typeTable) {
		resource := s.Resources[id]
		props := resource.Properties
		rule, ok := want[id]
		if !ok {
			f.add("%s: nobody declares this table", id)
			continue
		}
		ttl := text(props, "TimeToLiveSpecification", "AttributeName")
		if !s.truth(at(props, "TimeToLiveSpecification", "Enabled")) {
			ttl = ""
		}
		if ttl != rule.TTL {
			f.add("%s: its items expire by %q, want %q", id, ttl, rule.TTL)
		}
		if got := s.truth(at(props, "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled")); got != rule.PointInTimeRecovery {
			f.add("%s: point-in-time recovery is %t, want %t", id, got, rule.PointInTimeRecovery)
		}
		if got := text(props, "StreamSpecification", "StreamViewType"); got != rule.Stream {
			f.add("%s: its stream is %q, want %q", id, got, rule.Stream)
		}
		if !s.truth(at(props, "SSESpecification", "SSEEnabled")) {
			f.add("%s: it is not encrypted by a key of this account", id)
		}
		if props["BillingMode"] != "PAY_PER_REQUEST" {
			f.add("%s: its billing mode is %v, want PAY_PER_REQUEST", id, props["BillingMode"])
		}
		if rule.Protected && !s.truth(props["DeletionProtectionEnabled"]) {
			f.add("%s: DynamoDB does not refuse to delete it", id)
		}
		if props["TableName"] != nil {
			f.add("%s: it has a fixed name, with which it cannot be replaced", id)
		}
		f = append(f, kept(id, resource)...)
	}
	for _, id := range slices.Sorted(maps.Keys(want)) {
		if !s.is(id, typeTable) {
			f.add("%s: there is no such table", id)
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
			f.add("%s: its value stands in the template", id)
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
