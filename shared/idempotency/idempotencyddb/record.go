package idempotencyddb

import (
	"time"

	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/idempotency"
)

// record is a record's item. MadeAt and LeaseUntil are in milliseconds since 1970, TTL in seconds.
type record struct {
	PK          string            `dynamodbav:"PK"`
	SK          string            `dynamodbav:"SK"`
	Fingerprint string            `dynamodbav:"fingerprint"`
	Owner       string            `dynamodbav:"owner"`
	Previous    string            `dynamodbav:"previous,omitempty"`
	Running     bool              `dynamodbav:"running"`
	Point       string            `dynamodbav:"point,omitempty"`
	LeaseUntil  int64             `dynamodbav:"lease_until,omitempty"`
	Status      int               `dynamodbav:"status,omitempty"`
	Header      map[string]string `dynamodbav:"header,omitempty"`
	Body        []byte            `dynamodbav:"body,omitempty"`
	MadeAt      int64             `dynamodbav:"made_at"`
	TTL         int64             `dynamodbav:"ttl"`
}

func keyOf(id string) ddb.Key { return ddb.Key{PK: "ID#" + id, SK: "I"} }

func encode(r idempotency.Record) record {
	key := keyOf(r.Key.ID)
	item := record{
		PK: key.PK, SK: key.SK, Fingerprint: r.Key.Fingerprint, Owner: r.Owner, Previous: r.Previous,
		Running: r.Running, Point: r.Point,
		Status: r.Answer.Status, Header: r.Answer.Header, Body: r.Answer.Body,
		MadeAt: r.MadeAt.UnixMilli(), TTL: r.ExpiresAt.Unix(),
	}
	if !r.LeaseUntil.IsZero() {
		item.LeaseUntil = r.LeaseUntil.UnixMilli()
	}
	return item
}

func (item record) decode(id string) idempotency.Record {
	r := idempotency.Record{
		Key:   idempotency.Key{ID: id, Fingerprint: item.Fingerprint},
		Owner: item.Owner, Previous: item.Previous, Running: item.Running, Point: item.Point,
		Answer: idempotency.Answer{Status: item.Status, Header: item.Header, Body: item.Body},
		MadeAt: ddb.FromMillis(item.MadeAt), ExpiresAt: time.Unix(item.TTL, 0).UTC(),
	}
	if item.LeaseUntil != 0 {
		r.LeaseUntil = ddb.FromMillis(item.LeaseUntil)
	}
	return r
}
