package openapi

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/problem"
)

// parameters returns the operation's own parameters and those of its policy.
func (o Operation) parameters() []Parameter {
	if o.Route.Idempotency == api.KeyIgnored {
		return o.Parameters
	}
	key := `[!#-+\--~]{1,` + strconv.Itoa(idempotency.MaxKey) + `}` // what idempotency.ParseKey accepts: bare or in quotes
	return append(slices.Clone(o.Parameters), Parameter{
		In: Header, Name: idempotency.HeaderKey, Required: o.Route.Idempotency == api.KeyRequired,
		Description: "A value of your own choice. A repeated request with the same key counts once and gets the same answer.",
		Rules:       Rules{Pattern: `^("` + key + `"|` + key + `)$`}, Example: "delivery-2026-11-24-17",
	})
}

// keyed returns the errors of an idempotency key.
func keyed(keys api.Idempotency) []*problem.Error {
	switch keys {
	case api.KeyRequired:
		return []*problem.Error{idempotency.ErrKeyRequired, idempotency.ErrKeyReused, idempotency.ErrInProgress}
	case api.KeyOptional:
		return []*problem.Error{idempotency.ErrKeyReused, idempotency.ErrInProgress}
	default:
		return nil
	}
}

// replayHeaders returns the header of a repeated answer. A refusal before the work of a request began is not repeated.
func replayHeaders(keys api.Idempotency, status int) []ResponseHeader {
	before := []int{
		http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusRequestEntityTooLarge,
		http.StatusUnsupportedMediaType, http.StatusTooManyRequests,
	}
	if keys == api.KeyIgnored || status >= http.StatusInternalServerError || slices.Contains(before, status) {
		return nil
	}
	return []ResponseHeader{{
		Name: idempotency.HeaderReplayed, Description: "Present if the request was carried out before.",
		Rules: Rules{Enum: []any{"true"}}, Optional: true,
	}}
}
