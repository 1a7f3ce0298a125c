package gateway

import (
	"gatehouse/internal/fault"
	"gatehouse/internal/job"
	"gatehouse/internal/record"
)

// jobLogic lets administrators pause jobs and run them at once; all else of a
// job is the program's.
func jobLogic() record.Logic {
	never := fault.New(fault.Forbidden, "Jobs are part of the program; pause one with paused")
	return record.Logic{
		Model:   job.Model,
		Prepare: func(*record.Env, record.Values) error { return never },
		BeforeWrite: func(_ *record.Env, _ []record.Rec, values record.Values) error {
			for name := range values {
				if name != "paused" {
					return wrong(name, "Gatehouse itself keeps this field; only paused can be changed, and the method run_now runs a job")
				}
			}
			return nil
		},
		AfterWrite:   func(e *record.Env, _ []record.Rec, _ record.Values) error { return e.Tx().Signal(e.Ctx(), job.Channel) },
		BeforeUnlink: func(*record.Env, []record.Rec) error { return never },
		BeforeCopy:   func(*record.Env, record.Rec, record.Values) error { return never },
		Methods: map[string]record.Method{
			"run_now": {Doc: "Make the job due at once; a node that is free runs it", Do: func(e *record.Env, recs []record.Rec, _ record.Values) (any, error) {
				for _, r := range recs {
					if err := job.Due(e.Ctx(), e.Tx(), r.ID()); err != nil {
						return nil, err
					}
				}
				return true, nil
			}},
		},
	}
}
