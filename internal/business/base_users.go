package business

import (
	"gatehouse/internal/identity"
	s "gatehouse/internal/schema"
)

// userModels are users, who delegate to their partner, and their keys.
func userModels(partner *s.Model) []*s.Model {
	return []*s.Model{inherit(userModel(), partner, "partner_id"), userKeyModel()}
}

func userModel() *s.Model {
	link := s.NewMany2one("partner_id", "Related Partner", "res.partner").Req().Index().
		Helped("Partner-related data of the user")
	link.NoRules = true
	return &s.Model{
		Name: "res.users", Label: "User", Order: "name, login", RecName: "name", IDsBelow: identity.OdooUser(0),
		RecNames: []string{"name", "login"},
		Fields: []*s.Field{
			link,
			s.NewChar("login", "Login").Req().NoCopy().Helped("Used to log into the system"),
			s.NewChar("password", "Password").Hidden().
				Helped("Keep empty if you don't want the user to be able to connect on the system."),
			s.NewHTML("signature", "Email Signature"),
			s.NewBoolean("active", "Active").Def(true),
			s.NewBoolean("active_partner", "Partner is Active").RelatedTo("partner_id", "active"),
			s.NewMany2many("group_ids", "Groups", "res.groups", "res_groups_users_rel", "uid", "gid").
				Helped("Group explicitly assigned to the user"),
			allGroups(),
			s.NewBoolean("share", "Share User").ComputedStored().
				Helped("External user with limited access, created only for the purpose of sharing data."),
			s.NewMany2one("company_id", "Company", "res.company").Req().
				Helped("The default company for this user."),
			s.NewMany2many("company_ids", "Companies", "res.company", "res_company_users_rel", "user_id", "cid"),
			s.NewSelection("notification_type", "Notification",
				"email", "By Emails", "inbox", "In Odoo").Req().Def("email").NoCopy(),
		},
		Uniques: []s.Unique{{
			Name: "login_key", Columns: []string{"login"},
			Message: "You can not have two users with the same login!",
		}},
		Checks: []s.Check{{
			Name: "notification_type", SQL: "notification_type = 'email' or not coalesce(share, false)",
			Message: "Only internal user can receive notifications in Odoo",
		}},
	}
}

func privilegeModel() *s.Model {
	return &s.Model{
		Name: "res.groups.privilege", Label: "Privileges", Order: "sequence, name, id",
		Fields: []*s.Field{
			s.NewChar("name", "Name").Req().Translated(),
			s.NewText("description", "Description"),
			s.NewInteger("sequence", "Sequence").Def(int64(100)),
			s.NewOne2many("group_ids", "Groups", "res.groups", "privilege_id"),
		},
	}
}

func groupModel() *s.Model {
	return &s.Model{
		Name: "res.groups", Label: "Access Groups", Order: "privilege_id, sequence, name, id",
		NameParts: []s.NamePart{{Path: "privilege_id.name", After: " / "}, {Path: "name"}},
		Fields: []*s.Field{
			s.NewChar("name", "Name").Req().Translated(),
			s.NewText("comment", "Comment").Translated(),
			s.NewInteger("sequence", "Sequence"),
			s.NewMany2one("privilege_id", "Privilege", "res.groups.privilege").Index(),
			s.NewBoolean("share", "Share Group").
				Helped("Group created to set access rights for sharing data with some users."),
			s.NewFloat("api_key_duration", "API Keys maximum duration days", -1).
				Helped("Determines the maximum duration of an api key created by a user belonging to this group."),
			s.NewMany2many("user_ids", "User", "res.users", "res_groups_users_rel", "gid", "uid").
				Helped("Users explicitly in this group"),
			s.NewMany2many("implied_ids", "Implied Groups", "res.groups", "res_groups_implied_rel", "gid", "hid").
				Helped("Users of this group are also implicitly part of those groups"),
			s.NewMany2many("implied_by_ids", "Implying Groups", "res.groups", "res_groups_implied_rel", "hid", "gid").
				Helped("Users in those groups are implicitly part of this group."),
			s.NewOne2many("model_access", "Access Controls", "ir.model.access", "group_id").CopyLines(),
			s.NewMany2many("rule_groups", "Rules", "ir.rule", "rule_group_rel", "group_id", "rule_group_id"),
		},
		Uniques: []s.Unique{{
			Name: "name_uniq", Columns: []string{"privilege_id", "name"},
			Message: "The name of the group must be unique within a group privilege!",
		}},
		Checks: []s.Check{{
			Name: "check_api_key_duration", SQL: "api_key_duration >= 0",
			Message: "The api key duration cannot be a negative value.",
		}},
	}
}

// allGroups are the groups of a user and those that they imply.
func allGroups() *s.Field {
	f := s.NewMany2many("all_group_ids", "Groups and implied groups", "res.groups", "", "", "").ComputedSQL(`
		with recursive closure(gid) as (
			select r.gid from res_groups_users_rel r where r.uid = {t}.id
			union
			select i.hid from res_groups_implied_rel i join closure c on i.gid = c.gid)
		select {ids gid by gid} from closure`)
	f.SearchPathless = true
	return f
}
