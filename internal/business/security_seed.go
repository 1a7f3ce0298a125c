package business

import (
	"gatehouse/internal/schema"
)

// What this file seeds is looked at on every start, since a new version may
// bring rights for a new model. What an administrator changed or archived is
// left alone; what was deleted comes back, as in Odoo after an upgrade.

// seedRights writes access rights and record rules that are not there yet.
func (s *seeder) seedRights() error {
	if err := s.seedAccess(); err != nil {
		return err
	}
	return s.seedRules()
}

func (s *seeder) seedPrivileges() error {
	next, err := s.nextID("res_groups_privilege")
	if err != nil {
		return err
	}
	var rows [][]any
	for _, r := range facts("privileges.csv") {
		if !s.has(r.text("xmlid")) {
			s.name(r.text("xmlid"), "res.groups.privilege", next)
			rows = append(rows, []any{next, english(r.text("name")), r.int("sequence")})
			next++
		}
	}
	return s.insert("res_groups_privilege", []string{"name", "sequence"}, rows)
}

// seedGroups writes groups that are not there yet, and their privileges.
func (s *seeder) seedGroups() error {
	if err := s.seedPrivileges(); err != nil {
		return err
	}
	next, err := s.nextID("res_groups")
	if err != nil {
		return err
	}
	var rows [][]any
	var made []factRow
	for _, r := range facts("groups.csv") {
		if s.has(r.text("xmlid")) {
			continue
		}
		made = append(made, r)
		s.name(r.text("xmlid"), "res.groups", next)
		days := 0.0
		if r.text("api_key_days") != "" {
			days = r.float("api_key_days")
		}
		rows = append(rows, []any{
			next, english(r.text("name")), english(r.text("comment")),
			r.int("sequence"), s.id(r.text("privilege")), days, false,
		})
		next++
	}
	if err := s.insert("res_groups",
		[]string{"name", "comment", "sequence", "privilege_id", "api_key_duration", "share"}, rows); err != nil {
		return err
	}
	return s.seedImplied(made)
}

// seedImplied links new groups to those that they imply. It does not touch
// older ones: an administrator may have cut a link.
func (s *seeder) seedImplied(made []factRow) error {
	for _, r := range made {
		for _, implied := range r.words("implies") {
			_, err := s.e.Tx().Exec(s.e.Ctx(),
				"insert into res_groups_implied_rel (gid, hid) values ($1, $2) on conflict do nothing",
				s.id(r.text("xmlid")), s.id(implied))
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *seeder) seedAccess() error {
	models, err := s.ids("select model, id from ir_model")
	if err != nil {
		return err
	}
	next, err := s.nextID("ir_model_access")
	if err != nil {
		return err
	}
	var rows [][]any
	for _, r := range facts("access.csv") {
		model := models[r.text("model")]
		if s.has(r.text("xmlid")) || model == 0 {
			continue
		}
		s.name(r.text("xmlid"), "ir.model.access", next)
		perm := permissions(r)
		rows = append(rows, []any{
			next, r.text("name"), true, model, s.id(r.text("group")),
			perm[schema.Read], perm[schema.Write], perm[schema.Create], perm[schema.Unlink],
		})
		next++
	}
	return s.insert("ir_model_access", []string{
		"name", "active", "model_id", "group_id",
		"perm_read", "perm_write", "perm_create", "perm_unlink",
	}, rows)
}

func (s *seeder) seedRules() error {
	models, err := s.ids("select model, id from ir_model")
	if err != nil {
		return err
	}
	next, err := s.nextID("ir_rule")
	if err != nil {
		return err
	}
	var rows, links [][]any
	for _, r := range facts("rules.csv") {
		model := models[r.text("model")]
		if s.has(r.text("xmlid")) || model == 0 {
			continue
		}
		s.name(r.text("xmlid"), "ir.rule", next)
		groups, perm := r.words("groups"), permissions(r)
		rows = append(rows, []any{
			next, r.text("name"), true, model, r.text("domain"), len(groups) == 0,
			perm[schema.Read], perm[schema.Write], perm[schema.Create], perm[schema.Unlink],
		})
		for _, g := range groups {
			links = append(links, []any{next, s.id(g)})
		}
		next++
	}
	if err := s.insert("ir_rule", []string{
		"name", "active", "model_id", "domain_force", "global",
		"perm_read", "perm_write", "perm_create", "perm_unlink",
	}, rows); err != nil {
		return err
	}
	_, err = s.e.Tx().Copy(s.e.Ctx(), "rule_group_rel", []string{"rule_group_id", "group_id"}, links)
	return err
}

// permissions reads the four permissions of an access right or a rule.
func permissions(r factRow) (perm [4]bool) {
	perm[schema.Read], perm[schema.Write] = r.bool("read"), r.bool("write")
	perm[schema.Create], perm[schema.Unlink] = r.bool("create"), r.bool("unlink")
	return perm
}
