package gateway

import (
	"context"
	"time"

	"gatehouse/internal/audit"
	"gatehouse/internal/fault"
	"gatehouse/internal/record"
	"gatehouse/internal/sqldb"
)

// auditLogic keeps the audit trail from everybody's hands, administrators'
// included. Old entries go by VacuumAudit alone.
func auditLogic() record.Logic {
	never := func() error {
		return fault.New(fault.Forbidden, "The audit trail cannot be changed; entries go when audit_retention_days are over")
	}
	return record.Logic{
		Model:        audit.Model,
		Prepare:      func(*record.Env, record.Values) error { return never() },
		BeforeWrite:  func(*record.Env, []record.Rec, record.Values) error { return never() },
		BeforeUnlink: func(*record.Env, []record.Rec) error { return never() },
	}
}

// VacuumAudit deletes the entries of the audit trail that are older than some
// days, and gives their number; 0 days keeps all for ever.
func VacuumAudit(ctx context.Context, db sqldb.DB, days int, now time.Time) (int64, error) {
	if days <= 0 {
		return 0, nil
	}
	n, err := audit.Vacuum(ctx, db, now.AddDate(0, 0, -days))
	if err != nil {
		return n, fault.Wrap(err, "delete old entries of the audit trail")
	}
	return n, nil
}
