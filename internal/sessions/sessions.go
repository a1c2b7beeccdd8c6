// Package sessions opens the managers and revokers of sessions. Only mains import it.
package sessions

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/tienda-dev/tienda/internal/tokenkeys"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/session"
	"github.com/tienda-dev/tienda/shared/session/sessionddb"
)

// Open returns the manager of the sessions in the table, with the keys of tokens.
func Open(ctx context.Context, s *app.Setup, table *ddb.Table) (*session.Manager, error) {
	keys, err := tokenkeys.Open(ctx, s)
	if err != nil {
		return nil, err
	}
	var cfg session.Config
	if err := s.Env(&cfg); err != nil {
		return nil, err
	}
	cfg.OnEvent = logEvent
	return session.New(cfg, sessionddb.New(table), keys, time.Now)
}

// OpenLogin is for functions that check passwords: it returns the manager, and the key of identifiers, which
// tokenkeys.Identifier reads.
func OpenLogin(ctx context.Context, s *app.Setup, table *ddb.Table, decode func([]byte) ([]byte, error)) (*session.Manager, func(context.Context) []byte, error) {
	manager, err := Open(ctx, s, table)
	if err != nil {
		return nil, nil, err
	}
	key, err := tokenkeys.Identifier(ctx, s, decode)
	return manager, key, err
}

// Revoker checks, lists and ends the sessions in the table. It is for functions that may not read keys.
func Revoker(table *ddb.Table) *session.Revoker {
	revoker, err := session.NewRevoker(sessionddb.New(table), time.Now, logEvent)
	if err != nil { // only a nil store or clock
		panic(err)
	}
	return revoker
}

// logEvent adds the event to the request's log line. A security event gets its own line, at WARN.
func logEvent(ctx context.Context, e session.Event) {
	fields := []zap.Field{zap.String(logging.KeySessionEvent, string(e.Kind)), zap.String(logging.KeySessionID, e.SessionID), zap.String(logging.KeySubject, e.Subject)}
	if e.Reason != "" {
		fields = append(fields, zap.String(logging.KeyReason, string(e.Reason)))
	}
	if !e.Kind.Security() {
		logging.EntryFrom(ctx).Add(fields...)
		return
	}
	logging.From(ctx).Warn(logging.MessageSecurityEvent, append(fields, zap.Int64(logging.KeyPresented, e.Presented), zap.Int64(logging.KeyCurrent, e.Current))...)
}
