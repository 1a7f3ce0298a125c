package business

import (
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/record"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// sequenceLogics number documents.
func sequenceLogics() []record.Logic {
	return []record.Logic{{
		Model:    "ir.sequence",
		Defaults: map[string]func(e *record.Env) (any, error){"company_id": currentCompany},
		Checks: []record.Constraint{{
			Fields: []string{"prefix", "suffix"}, Check: checkAffixes,
		}},
		Methods: map[string]record.Method{
			"next_by_code": {
				OnModel: true, ReadOnly: true, Do: callNextByCode,
				Doc: "Takes the next number of the sequence with this code (argument sequence_code); false when there is none.",
			},
			"next_by_id": {
				ReadOnly: true, Do: callNextByID,
				Doc: "Takes the next number of the sequence.",
			},
		},
	}}
}

func checkAffixes(e *record.Env, r record.Rec) error {
	for _, field := range []string{"prefix", "suffix"} {
		if _, err := expand(r.Text(field), moments{}); err != nil {
			return fault.Newf(fault.Unprocessable, "Invalid prefix or suffix for sequence “%s”: %s", r.Text("name"), err).
				With(fault.FieldErrors{field: err.Error()})
		}
	}
	return nil
}

func callNextByCode(e *record.Env, _ []record.Rec, args record.Values) (any, error) {
	code := text(args["sequence_code"])
	if code == "" {
		return nil, missing("sequence_code")
	}
	number, err := NextByCode(e, code)
	if err != nil || number == "" {
		return false, err
	}
	return number, nil
}

func callNextByID(e *record.Env, recs []record.Rec, _ record.Values) (any, error) {
	if len(recs) != 1 {
		return nil, refuse("A number is taken from one sequence, not from %d", len(recs))
	}
	return nextNumber(e, recs[0].ID())
}

// NextByCode takes the next number of the sequence with that code: the one of
// the current company if it has its own, else the one of all. It is "" when
// there is none.
func NextByCode(e *record.Env, code string) (string, error) {
	var id int64
	err := e.Tx().Query(e.Ctx(), `select id from ir_sequence
		where code = $1 and active and (company_id = $2 or company_id is null)
		order by case when company_id is null then 1 else 0 end, id limit 1`,
		[]any{code, e.CompanyID()}, func(r sqldb.Row) error {
			id = r.Int(0)
			return nil
		})
	if err != nil || id == 0 {
		return "", err
	}
	return nextNumber(e, id)
}

// nextNumber takes a sequence's next number. One statement reads and raises
// the counter, so that no two transactions get the same; the second waits for
// the first, and if that one fails the number is free again: no gaps.
func nextNumber(e *record.Env, id int64) (string, error) {
	var prefix, suffix string
	var padding, number int64
	ranged, found := false, false
	err := e.Tx().Query(e.Ctx(), `update ir_sequence
		set number_next = number_next + case when use_date_range then 0 else number_increment end
		where id = $1 returning number_next - number_increment, prefix, suffix, padding, use_date_range`,
		[]any{id}, func(r sqldb.Row) error {
			number, prefix, suffix, padding, ranged, found = r.Int(0), r.Text(1), r.Text(2), r.Int(3), r.Bool(4), true
			return nil
		})
	if err != nil {
		return "", err
	}
	if !found {
		return "", fault.Newf(fault.NotFound, "There is no sequence %d", id)
	}
	zone := callerZone(e)
	at := moments{now: e.Now(), day: e.Now(), wall: e.Now(), local: zone}
	if ranged {
		if number, at.day, err = nextInRange(e, id, at.now.In(zone)); err != nil {
			return "", err
		}
	}
	name, err := formatNumber(prefix, suffix, padding, number, at)
	if err != nil {
		return "", refuse("Invalid prefix or suffix for sequence: %s", err)
	}
	return name, nil
}

// nextInRange takes the next number of the date range that today lies in. A
// missing one is made for the calendar year; who makes it at the same time
// meets the unique constraint and takes the other's.
func nextInRange(e *record.Env, sequence int64, today time.Time) (int64, time.Time, error) {
	day := today.Format(schema.DateLayout)
	number, start, err := takeFromRange(e, sequence, day)
	if err != nil || !start.IsZero() {
		return number, start, err
	}
	first := time.Date(today.Year(), 1, 1, 0, 0, 0, 0, time.UTC)
	last := time.Date(today.Year(), 12, 31, 0, 0, 0, 0, time.UTC)
	_, err = e.Tx().Exec(e.Ctx(), `insert into ir_sequence_date_range
		(sequence_id, date_from, date_to, number_next, create_uid, create_date, write_uid, write_date)
		values ($1, $2, $3, 1, $4, $5, $4, $5) on conflict (sequence_id, date_from, date_to) do nothing`,
		sequence, first.Format(schema.DateLayout), last.Format(schema.DateLayout), e.UserID(), e.Now())
	if err != nil {
		return 0, first, err
	}
	return takeFromRange(e, sequence, day)
}

func takeFromRange(e *record.Env, sequence int64, day string) (number int64, start time.Time, err error) {
	err = e.Tx().Query(e.Ctx(), `update ir_sequence_date_range
		set number_next = number_next + (select s.number_increment from ir_sequence s where s.id = $1)
		where id = (select r.id from ir_sequence_date_range r
			where r.sequence_id = $1 and r.date_from <= $2 and r.date_to >= $2 order by r.id limit 1)
		returning number_next - (select s.number_increment from ir_sequence s where s.id = $1), date_from`,
		[]any{sequence, day}, func(r sqldb.Row) error {
			number, start = r.Int(0), r.Time(1)
			return nil
		})
	return number, start, err
}

// callerZone is the caller's time zone; UTC where it is not known.
func callerZone(e *record.Env) *time.Location {
	if zone, err := time.LoadLocation(e.Caller().Context.TZ); err == nil {
		return zone
	}
	return time.UTC
}

// seedSequences makes the sequence of the orders, shared by all companies.
func seedSequences(e *record.Env) error {
	_, err := e.Create("ir.sequence", record.Values{
		"name": "Sales Order", "code": "sale.order", "prefix": "S", "padding": int64(5), "company_id": nil,
	})
	return err
}
