package business

import (
	"html"
	"slices"
	"strings"

	"gatehouse/internal/record"
	"gatehouse/internal/sqldb"
)

// userLogics are what makes a user more than a row: the password is hashed,
// the groups decide whether he is internal, and his contact follows him.
func userLogics(opts Options) []record.Logic {
	p := passwords{opts.HashPassword}
	return []record.Logic{{
		Model:    "res.users",
		Defaults: userDefaults,
		Prepare: func(e *record.Env, values record.Values) error {
			if err := p.hash(values); err != nil {
				return err
			}
			return prepareUser(values)
		},
		AfterCreate: usersCreated,
		Own:         ownPreferences,
		BeforeWrite: func(e *record.Env, recs []record.Rec, values record.Values) error {
			if err := p.hash(values); err != nil {
				return err
			}
			return guardUsers(e, recs, values)
		},
		AfterWrite:   usersWritten,
		BeforeUnlink: guardUserUnlink,
		AfterUnlink:  func(e *record.Env, _ []int64) error { return signalUsers(e) },
		BeforeCopy: func(e *record.Env, original record.Rec, values record.Values) error {
			markCopy(original, values, "name", "login")
			return nil
		},
		Computes: []record.Compute{userShare},
		Checks: []record.Constraint{
			{Fields: []string{"company_id", "company_ids", "active"}, Check: checkUserCompany},
			{Fields: []string{"group_ids"}, Check: checkExclusiveGroups},
		},
	}}
}

var userDefaults = map[string]func(e *record.Env) (any, error){
	"company_id": currentCompany,
	"group_ids": func(e *record.Env) (any, error) {
		return []int64{e.Ref(groupUser).ID()}, nil
	},
}

// preferences are what everybody may change of himself.
var preferences = []string{"name", "email", "signature", "lang", "tz", "company_id", "notification_type"}

// ownPreferences says that a user changes nothing but his own preferences.
func ownPreferences(e *record.Env, ids []int64, values record.Values) bool {
	for name := range values {
		if !slices.Contains(preferences, name) {
			return false
		}
	}
	return len(ids) == 1 && ids[0] == e.UserID()
}

// passwords hashes what is written to the password field.
type passwords struct {
	hashPassword func(string) (string, error)
}

func (p passwords) hash(values record.Values) error {
	v, ok := values["password"]
	if !ok {
		return nil
	}
	plain := text(v)
	if strings.TrimSpace(plain) == "" {
		return refuse("Setting empty passwords is not allowed for security reasons!")
	}
	if p.hashPassword == nil {
		return refuse("Passwords cannot be set here")
	}
	hashed, err := p.hashPassword(plain)
	if err != nil {
		return err
	}
	values["password"] = hashed
	return nil
}

func prepareUser(values record.Values) error {
	if id, ok := values["company_id"].(int64); ok && !given(values, "company_ids") {
		values["company_ids"] = []int64{id}
	}
	if name := text(values["name"]); name != "" && !given(values, "signature") {
		values["signature"] = "<div>" + html.EscapeString(name) + "</div>"
	}
	return nil
}

func usersCreated(e *record.Env, users []record.Rec) error {
	for _, u := range users {
		partner := u.Ref("partner_id")
		change := record.Values{"active": u.Bool("active")}
		if !partner.Ref("company_id").IsZero() {
			change["company_id"] = u.Ref("company_id").ID()
		}
		if err := e.Sudo().Write([]record.Rec{partner}, change); err != nil {
			return err
		}
	}
	if err := sharePartners(e, users); err != nil {
		return err
	}
	return signalUsers(e)
}

// guardUsers keeps people from locking themselves out, and the superuser from
// being a person.
func guardUsers(e *record.Env, users []record.Rec, values record.Values) error {
	active, changes := values["active"].(bool)
	for _, u := range users {
		switch {
		case changes && active && u.ID() == rootUser:
			return refuse("You cannot activate the superuser.")
		case changes && !active && u.ID() == e.UserID() && u.ID() != rootUser:
			return refuse("You cannot deactivate the user you're currently logged in as.")
		case changes && active && !u.Bool("active") && !u.Ref("partner_id").Bool("active"):
			if err := e.Sudo().Write([]record.Rec{u.Ref("partner_id")}, record.Values{"active": true}); err != nil {
				return err
			}
		}
	}
	return nil
}

func usersWritten(e *record.Env, users []record.Rec, values record.Values) error {
	if given(values, "company_id") {
		for _, u := range users {
			partner, company := u.Ref("partner_id"), u.Ref("company_id").ID()
			if c := partner.Ref("company_id"); !c.IsZero() && c.ID() != company {
				if err := e.Sudo().Write([]record.Rec{partner}, record.Values{"company_id": company}); err != nil {
					return err
				}
			}
		}
	}
	if given(values, "group_ids", "partner_id", "active") {
		if err := sharePartners(e, users); err != nil {
			return err
		}
	}
	return signalUsers(e)
}

// sharePartners marks the users' contacts as shared with outsiders, or not: a
// contact is internal when an active internal user stands behind it.
func sharePartners(e *record.Env, users []record.Rec) error {
	for _, u := range users {
		if err := sharePartner(e, u.Ref("partner_id"), nil); err != nil {
			return err
		}
	}
	return nil
}

// sharePartner looks at all users of a contact but those that are leaving.
func sharePartner(e *record.Env, partner record.Rec, leaving []int64) error {
	if partner.IsZero() {
		return nil
	}
	users, err := e.Sudo().SearchNode("res.users", leaf("partner_id", "=", partner.ID()), record.WithArchived())
	if err != nil {
		return err
	}
	share := true
	for _, u := range users {
		internal := u.ID() == rootUser || (u.Bool("active") && !u.Bool("share"))
		if internal && !slices.Contains(leaving, u.ID()) {
			share = false
		}
	}
	if share == partner.Bool("partner_share") {
		return nil
	}
	return e.Sudo().Write([]record.Rec{partner}, record.Values{"partner_share": share})
}

// guardUserUnlink keeps the users that the database cannot do without.
func guardUserUnlink(e *record.Env, users []record.Rec) error {
	var leaving []int64
	for _, u := range users {
		leaving = append(leaving, u.ID())
		switch u.ID() {
		case rootUser, e.Ref("base.user_admin").ID():
			return refuse("You can not remove the admin user as it is used internally for resources created by the system")
		case e.Ref("base.template_portal_user_id").ID(), e.Ref("base.public_user").ID():
			return refuse("Deleting the template users is not allowed. Deleting this profile will compromise critical functionalities.")
		case e.UserID():
			return refuse("You cannot delete the user you're currently logged in as.")
		}
	}
	for _, u := range users {
		if err := sharePartner(e, u.Ref("partner_id"), leaving); err != nil {
			return err
		}
	}
	return nil
}

// userShare: who is not in the group of internal users is an outsider.
var userShare = record.Compute{
	Fields:  []string{"share"},
	Depends: []string{"group_ids"},
	Do: func(e *record.Env, u record.Rec) (record.Values, error) {
		groups, err := groupClosure(e, u.Refs("group_ids"))
		if err != nil {
			return nil, err
		}
		return record.Values{"share": !groups[e.Ref(groupUser).ID()]}, nil
	},
}

func checkUserCompany(e *record.Env, u record.Rec) error {
	if !u.Bool("active") {
		return nil
	}
	var names []string
	for _, c := range u.Refs("company_ids") {
		if c.ID() == u.Ref("company_id").ID() {
			return nil
		}
		names = append(names, c.Text("name"))
	}
	return refuse("Company %s is not in the allowed companies for user %s (%s).",
		u.Ref("company_id").Text("name"), u.Text("name"), strings.Join(names, ", "))
}

// checkExclusiveGroups: a user is internal, of the portal or public.
func checkExclusiveGroups(e *record.Env, u record.Rec) error {
	groups, err := groupClosure(e, u.Refs("group_ids"))
	if err != nil {
		return err
	}
	var names []string
	for _, xmlid := range []string{groupUser, groupPortal, groupPublic} {
		if g := e.Ref(xmlid); groups[g.ID()] {
			names = append(names, "'"+g.Text("name")+"'")
		}
	}
	if len(names) > 1 {
		return refuse("User '%s' cannot be at the same time in exclusive groups %s.",
			u.Text("name"), strings.Join(names, ", "))
	}
	return nil
}

// groupClosure gives the groups and all that they imply, as the transaction
// sees them: the registry only knows what is committed.
func groupClosure(e *record.Env, groups []record.Rec) (map[int64]bool, error) {
	implied := map[int64][]int64{}
	err := e.Tx().Query(e.Ctx(), "select gid, hid from res_groups_implied_rel", nil, func(r sqldb.Row) error {
		implied[r.Int(0)] = append(implied[r.Int(0)], r.Int(1))
		return nil
	})
	if err != nil {
		return nil, err
	}
	all := map[int64]bool{}
	var add func(id int64)
	add = func(id int64) {
		if !all[id] {
			all[id] = true
			for _, h := range implied[id] {
				add(h)
			}
		}
	}
	for _, g := range groups {
		add(g.ID())
	}
	return all, nil
}

// usersMoved follows a change of groups from their side: who is internal now?
func usersMoved(e *record.Env) error {
	users, err := e.Sudo().Search("res.users", "[]", record.WithArchived())
	if err != nil {
		return err
	}
	for _, u := range users {
		if u.ID() == rootUser {
			continue
		}
		all, err := groupClosure(e, u.Refs("group_ids"))
		if err != nil {
			return err
		}
		share := !all[e.Ref(groupUser).ID()]
		if share == u.Bool("share") {
			continue
		}
		if err := e.Sudo().Write([]record.Rec{u}, record.Values{"share": share}); err != nil {
			return err
		}
		if err := sharePartner(e, u.Ref("partner_id"), nil); err != nil {
			return err
		}
	}
	return signalUsers(e)
}
