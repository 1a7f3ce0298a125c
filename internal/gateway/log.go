package gateway

import (
	"gatehouse/internal/fault"
	"gatehouse/internal/record"
)

// logModelName is the traffic log; package traffic declares and writes it.
const logModelName = "gateway.log"

// logLogic keeps the traffic log from everybody's hands.
func logLogic() record.Logic {
	never := func() error {
		return fault.New(fault.Forbidden, "The traffic log cannot be changed; entries go when log_retention_days are over")
	}
	return record.Logic{
		Model:        logModelName,
		Prepare:      func(*record.Env, record.Values) error { return never() },
		BeforeWrite:  func(*record.Env, []record.Rec, record.Values) error { return never() },
		BeforeUnlink: func(*record.Env, []record.Rec) error { return never() },
	}
}
