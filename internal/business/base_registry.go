package business

import (
	s "gatehouse/internal/schema"
)

// registryModels are the models that describe models, rights and defaults.
func registryModels() []*s.Model {
	return []*s.Model{
		irModel(), irModelFields(), irModelFieldsSelection(), irModelInherit(),
		irModelAccess(), irRule(), irModelData(), irDefault(),
	}
}

func irModel() *s.Model {
	return &s.Model{
		Name: "ir.model", Label: "Models", Order: "is_mail_thread DESC, name ASC",
		RecNames: []string{"name", "model"},
		Fields: []*s.Field{
			s.NewChar("name", "Model Description").Req().Translated(),
			s.NewChar("model", "Model").Req().Def("x_"),
			s.NewChar("order", "Order").Req().Def("id").
				Helped("SQL expression for ordering records in the model; e.g. \"x_sequence asc, id desc\""),
			s.NewText("info", "Information"),
			s.NewOne2many("field_id", "Fields", "ir.model.fields", "model_id").CopyLines(),
			s.NewSelection("state", "Type", "manual", "Custom Object", "base", "Base Object").RO().NoCopy().Def("manual"),
			s.NewBoolean("abstract", "Abstract Model"),
			s.NewBoolean("transient", "Transient Model"),
			s.NewBoolean("is_mail_thread", "Has Mail Thread").Def(false),
			s.NewOne2many("access_ids", "Access", "ir.model.access", "model_id"),
			s.NewOne2many("rule_ids", "Record Rules", "ir.rule", "model_id"),
		},
		Uniques: []s.Unique{{
			Name: "obj_name_uniq", Columns: []string{"model"},
			Message: "Each model must have a unique name.",
		}},
	}
}

func irModelFields() *s.Model {
	types := make([]string, 0, 2*len(s.Types()))
	for _, t := range s.Types() {
		types = append(types, t, t)
	}
	return &s.Model{
		Name: "ir.model.fields", Label: "Fields", Order: "name, id", RecName: "field_description",
		NameParts: []s.NamePart{
			{Path: "field_description"}, {Before: " (", Path: "model_id.name", After: ")"},
		},
		Fields: []*s.Field{
			s.NewChar("name", "Field Name").Req().Index().Def("x_"),
			s.NewChar("model", "Model Name").Req().Index().
				Helped("The technical name of the model this field belongs to"),
			s.NewMany2one("model_id", "Model", "ir.model").Req().Index().OnDeleteDo(s.Cascade).
				Helped("The model this field belongs to"),
			s.NewChar("field_description", "Field Label").Req().Translated().Def(""),
			s.NewText("help", "Field Help").Translated(),
			s.NewSelection("ttype", "Field Type", types...).Req(),
			s.NewChar("relation", "Related Model").
				Helped("For relationship fields, the technical name of the target model"),
			s.NewChar("relation_field", "Relation Field").
				Helped("For one2many fields, the field on the target model that implement the opposite many2one relationship"),
			s.NewChar("relation_table", "Relation Table").
				Helped("Used for custom many2many fields to define a custom relation table name"),
			s.NewChar("column1", "Column 1").
				Helped("Column referring to the record in the model table"),
			s.NewChar("column2", "Column 2").
				Helped("Column referring to the record in the comodel table"),
			s.NewOne2many("selection_ids", "Selection Options", "ir.model.fields.selection", "field_id").CopyLines(),
			optionsField(),
			s.NewBoolean("store", "Stored").Def(true).Helped("Whether the value is stored in the database."),
			s.NewBoolean("required", "Required"),
			s.NewBoolean("readonly", "Readonly"),
			s.NewBoolean("index", "Indexed"),
			s.NewSelection("translate", "Translatable", "standard", "Translate as a whole",
				"html_translate", "Translate HTML terms", "xml_translate", "Translate XML terms").
				Helped("Whether values for this field can be translated (enables the translation mechanism for that field)"),
			s.NewBoolean("company_dependent", "Company Dependent").RO().
				Helped("Whether values for this field is company dependent"),
			s.NewInteger("size", "Size"),
			s.NewChar("related", "Related Field Definition").
				Helped("The corresponding related field, if any. This must be a dot-separated list of field names."),
			s.NewSelection("on_delete", "On Delete", "cascade", "Cascade", "set null", "Set NULL",
				"restrict", "Restrict").Def("set null").Helped("On delete property for many2one fields"),
			s.NewChar("currency_field", "Currency field").
				Helped("Name of the Many2one field holding the res.currency"),
			s.NewChar("domain", "Domain").Def("[]").
				Helped("The optional domain to restrict possible values for relationship fields, specified as a Python expression defining a list of triplets. For example: [('color','=','red')]"),
			s.NewBoolean("selectable", "Selectable").Def(true),
			s.NewBoolean("copied", "Copied").Helped("Whether the value is copied when duplicating a record."),
			s.NewSelection("state", "Type", "manual", "Custom Field", "base", "Base Field").
				Req().RO().NoCopy().Index().Def("manual"),
		},
		Uniques: []s.Unique{{
			Name: "name_unique", Columns: []string{"model", "name"},
			Message: "Field names must be unique per model.",
		}},
		Checks: []s.Check{
			{
				Name: "size_gt_zero", SQL: "size >= 0",
				Message: "Size of the field cannot be negative.",
			},
			{
				Name: "name_manual_field", SQL: "state <> 'manual' or substr(name, 1, 2) = 'x_'",
				Message: "Custom fields must have a name that starts with 'x_'!",
			},
		},
	}
}

func irModelFieldsSelection() *s.Model {
	return &s.Model{
		Name: "ir.model.fields.selection", Label: "Fields Selection", Order: "sequence, id",
		Fields: []*s.Field{
			s.NewMany2one("field_id", "Field", "ir.model.fields").Req().Index().OnDeleteDo(s.Cascade),
			s.NewChar("value", "Value").Req(),
			s.NewChar("name", "Name").Req().Translated(),
			s.NewInteger("sequence", "Sequence").Def(int64(1000)),
		},
		Uniques: []s.Unique{{
			Name: "selection_field_uniq", Columns: []string{"field_id", "value"},
			Message: "Selections values must be unique per field",
		}},
	}
}

func irModelInherit() *s.Model {
	return &s.Model{
		Name: "ir.model.inherit", Label: "Model Inheritance Tree", Order: "id", NoLog: true,
		Fields: []*s.Field{
			s.NewMany2one("model_id", "Model", "ir.model").Req().OnDeleteDo(s.Cascade),
			s.NewMany2one("parent_id", "Parent", "ir.model").Req().OnDeleteDo(s.Cascade),
			s.NewMany2one("parent_field_id", "Parent Field", "ir.model.fields").OnDeleteDo(s.Cascade),
		},
		Uniques: []s.Unique{{
			Name: "uniq", Columns: []string{"model_id", "parent_id"},
			Message: "Models inherits from another only once",
		}},
	}
}

func irModelAccess() *s.Model {
	return &s.Model{
		Name: "ir.model.access", Label: "Model Access", Order: "model_id, group_id, name, id",
		Fields: []*s.Field{
			s.NewChar("name", "Name").Req().Index(),
			s.NewBoolean("active", "Active").Def(true).
				Helped("If you uncheck the active field, it will disable the ACL without deleting it (if you delete a native ACL, it will be re-created when you reload the module)."),
			s.NewMany2one("model_id", "Model", "ir.model").Req().Index().OnDeleteDo(s.Cascade),
			s.NewMany2one("group_id", "Group", "res.groups").Index().OnDeleteDo(s.Restrict),
			s.NewBoolean("perm_read", "Read Access"),
			s.NewBoolean("perm_write", "Write Access"),
			s.NewBoolean("perm_create", "Create Access"),
			s.NewBoolean("perm_unlink", "Delete Access"),
		},
	}
}

func irRule() *s.Model {
	return &s.Model{
		Name: "ir.rule", Label: "Record Rule", Order: "model_id DESC, id",
		Fields: []*s.Field{
			s.NewChar("name", "Name"),
			s.NewBoolean("active", "Active").Def(true).
				Helped("If you uncheck the active field, it will disable the record rule without deleting it (if you delete a native record rule, it may be re-created when you reload the module)."),
			s.NewMany2one("model_id", "Model", "ir.model").Req().Index().OnDeleteDo(s.Cascade),
			s.NewMany2many("groups", "Groups", "res.groups", "rule_group_rel", "rule_group_id", "group_id"),
			s.NewText("domain_force", "Domain"),
			s.NewBoolean("perm_read", "Read").Def(true),
			s.NewBoolean("perm_write", "Write").Def(true),
			s.NewBoolean("perm_create", "Create").Def(true),
			s.NewBoolean("perm_unlink", "Delete").Def(true),
			s.NewBoolean("global", "Global").ComputedStored().
				Helped("If no group is specified the rule is global and applied to everyone"),
		},
		Checks: []s.Check{{
			Name:    "no_access_rights",
			SQL:     "coalesce(perm_read, false) or coalesce(perm_write, false) or coalesce(perm_create, false) or coalesce(perm_unlink, false)",
			Message: "Rule must have at least one checked access right!",
		}},
	}
}

func irModelData() *s.Model {
	target := &s.Field{
		Name: "res_id", Label: "Record ID", Type: s.Many2oneReference,
		Store: true, Copied: true, Indexed: true, Scale: -1,
		Help: "ID of the target record in the database",
	}
	return &s.Model{
		Name: "ir.model.data", Label: "Model Data", Order: "module, model, name",
		Fields: []*s.Field{
			s.NewChar("name", "External Identifier").Req().
				Helped("External Key/Identifier that can be used for data integration with third-party systems"),
			s.NewChar("module", "Module").Req().Def(""),
			s.NewChar("model", "Model Name").Req(),
			target,
			s.NewBoolean("noupdate", "Non Updatable").Def(false),
		},
		Uniques: []s.Unique{{
			Name: "module_name_uniq_index", Columns: []string{"module", "name"},
			Message: "External identifiers must be unique within a module.",
		}},
		Checks: []s.Check{{
			Name: "name_nospaces", SQL: "name not like '% %'",
			Message: "External IDs cannot contain spaces",
		}},
	}
}

func irDefault() *s.Model {
	return &s.Model{
		Name: "ir.default", Label: "Default Values", Order: "id", RecName: "field_id",
		Fields: []*s.Field{
			s.NewMany2one("field_id", "Field", "ir.model.fields").Req().Index().OnDeleteDo(s.Cascade),
			s.NewMany2one("user_id", "User", "res.users").Index().OnDeleteDo(s.Cascade).
				Helped("If set, action binding only applies for this user."),
			s.NewMany2one("company_id", "Company", "res.company").Index().OnDeleteDo(s.Cascade).
				Helped("If set, action binding only applies for this company"),
			s.NewChar("condition", "Condition").Helped("If set, applies the default upon condition."),
			s.NewChar("json_value", "Default Value (JSON format)").Req(),
		},
	}
}
