// Package sessions opens the manager of sessions for the functions that start or refresh them, and a
// revoker for those that check, list or end them. Where the manager's keys come from is package
// tokenkeys'. Only the functions' mains import it.
package sessions

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/session"
	"github.com/tienda-dev/tienda/shared/session/sessionddb"
)

// Open returns the manager of the sessions in the table, with the keys of tokens.
func Open(s *app.Setup, table *ddb.Table, keys session.Keys) (*session.Manager, error) {
	var cfg session.Config
	if err := s.Env(&cfg); err != nil {
		return nil, err
	}
	cfg.OnEvent = logEvent
	return session.New(cfg, sessionddb.New(table), keys, time.Now)
}

// OpenRevoker returns what checks, lists and ends the sessions in the table, for functions that may read no
// keys.
func OpenRevoker(table *ddb.Table) (*session.Revoker, error) {
	return session.NewRevoker(sessionddb.New(table), time.Now, logEvent)
}

// logEvent puts what happened to a session on the request's line; what somebody should look into gets a
// line of its own.
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
