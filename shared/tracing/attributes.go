package tracing

import (
	"strings"

	"go.opentelemetry.io/otel/attribute"
)

// The keys of the domain's attributes. Ids are ours and name no person; never an address, a name or a token.
const (
	KeyUserID      = attribute.Key("user.id")
	KeyCustomerID  = attribute.Key("customer.id")
	KeyOrderID     = attribute.Key("order.id")
	KeyProductID   = attribute.Key("product.id")
	KeyPaymentID   = attribute.Key("payment.id")
	KeyShipmentID  = attribute.Key("shipment.id")
	KeyCacheKey    = attribute.Key("cache.key")
	KeyCacheHit    = attribute.Key("cache.hit")
	KeyEventType   = attribute.Key("event.type")
	KeyXRayTraceID = attribute.Key("aws.xray.trace_id")
)

// AllowList holds the keys of attributes that leave the process.
type AllowList struct{ keys map[string]bool }

// NewAllowList returns the list of the keys that this library sets, and extra ones.
func NewAllowList(extra ...string) AllowList {
	list := AllowList{keys: map[string]bool{}}
	for _, key := range append(extra,
		"http.request.method", "http.request.method_original", "http.route", "http.response.status_code", "url.path", "url.scheme",
		"user_agent.original", "error.type", "exception.type", "exception.message",
		"user.id", "customer.id", "order.id", "product.id", "payment.id", "shipment.id",
		"cache.key", "cache.hit", "event.type",
		"db.system.name", "db.operation.name", "db.collection.name", "db.response.status_code",
		"rpc.system.name", "server.address", "server.port", "otel.metric.overflow",
	) {
		list.keys[strings.TrimSpace(key)] = true
	}
	return list
}

// Allows reports whether an attribute with the key may leave the process. The namespaces faas, cloud and aws hold
// only facts about the platform.
func (l AllowList) Allows(key attribute.Key) bool {
	k := string(key)
	return l.keys[k] || strings.HasPrefix(k, "faas.") || strings.HasPrefix(k, "cloud.") || strings.HasPrefix(k, "aws.")
}
