package business

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"gatehouse/internal/record"
	"gatehouse/internal/sqldb"
)

// seeder writes the data of the first start straight into the tables: two
// thousand countries and states through the engine would take seconds, and the
// first companies, contacts and users need each other.
type seeder struct {
	e     *record.Env
	xmlid map[string]int64 // external id → record
	data  [][]any          // rows of ir_model_data to write
	now   time.Time
	// creator is who made the rows: nobody, as long as there are no users.
	creator any
	orphans []string // tables with rows that nobody made
}

// rootUser is the superuser's id, who makes what nobody made.
const rootUser = int64(1)

func newSeeder(e *record.Env) (*seeder, error) {
	s := &seeder{e: e, xmlid: map[string]int64{}, now: e.Now()}
	err := e.Tx().Query(e.Ctx(), "select module, name, res_id from ir_model_data", nil, func(r sqldb.Row) error {
		s.xmlid[r.Text(0)+"."+r.Text(1)] = r.Int(2)
		return nil
	})
	return s, err
}

// has says whether an external id is taken.
func (s *seeder) has(xmlid string) bool { return s.xmlid[xmlid] != 0 }

// id finds a record by external id; "" gives nil.
func (s *seeder) id(xmlid string) any {
	if xmlid == "" {
		return nil
	}
	id := s.xmlid[xmlid]
	if id == 0 {
		panic("no record is called " + xmlid)
	}
	return id
}

// name gives a record its external id.
func (s *seeder) name(xmlid, model string, id int64) {
	module, name, _ := strings.Cut(xmlid, ".")
	s.xmlid[xmlid] = id
	s.data = append(s.data, []any{module, name, model, id, true, rootUser, s.now, rootUser, s.now})
}

// saveNames writes the external ids gathered so far.
func (s *seeder) saveNames() error {
	columns := []string{
		"module", "name", "model", "res_id", "noupdate",
		"create_uid", "create_date", "write_uid", "write_date",
	}
	_, err := s.e.Tx().Copy(s.e.Ctx(), "ir_model_data", columns, s.data)
	s.data = nil
	return err
}

// insert writes rows with ids of our choice; each row begins with its id.
func (s *seeder) insert(table string, columns []string, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	if s.creator == nil {
		s.orphans = append(s.orphans, table)
	}
	columns = append(slices.Clone(columns), "create_uid", "create_date", "write_uid", "write_date")
	for i, row := range rows {
		rows[i] = append(row, s.creator, s.now, s.creator, s.now)
	}
	if _, err := s.e.Tx().Copy(s.e.Ctx(), table, append([]string{"id"}, columns...), rows); err != nil {
		return err
	}
	return s.syncSequence(table)
}

// syncSequence makes the table's own numbering go on after our ids.
func (s *seeder) syncSequence(table string) error {
	sql := s.e.Tx().Dialect().SyncSequence(table)
	if sql == "" {
		return nil
	}
	return s.e.Tx().Query(s.e.Ctx(), sql, nil, func(sqldb.Row) error { return nil })
}

// adopt names the superuser as the creator of what was made before him.
func (s *seeder) adopt() error {
	s.creator = rootUser
	for _, table := range s.orphans {
		_, err := s.e.Tx().Exec(s.e.Ctx(), "update "+table+" set create_uid = $1, write_uid = $1", rootUser)
		if err != nil {
			return err
		}
	}
	for _, p := range firstPeople {
		if p.noCompanyLink {
			continue
		}
		_, err := s.e.Tx().Exec(s.e.Ctx(), "update res_partner set company_id = $1 where id = $2", mainCompany, p.id)
		if err != nil {
			return err
		}
	}
	return nil
}

// nextID is the id that follows the table's highest.
func (s *seeder) nextID(table string) (int64, error) {
	next := int64(1)
	err := s.e.Tx().Query(s.e.Ctx(), "select coalesce(max(id), 0) + 1 from "+table, nil, func(r sqldb.Row) error {
		next = r.Int(0)
		return nil
	})
	return next, err
}

// ids reads a two-column query into a map.
func (s *seeder) ids(sql string) (map[string]int64, error) {
	found := map[string]int64{}
	err := s.e.Tx().Query(s.e.Ctx(), sql, nil, func(r sqldb.Row) error {
		found[r.Text(0)] = r.Int(1)
		return nil
	})
	return found, err
}

// english is the stored form of a translated text; "" stays NULL.
func english(text string) any {
	if text == "" {
		return nil
	}
	b, _ := json.Marshal(map[string]string{"en_US": text}) // a map of strings always encodes
	return string(b)
}
