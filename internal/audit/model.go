package audit

import "gatehouse/internal/schema"

// Model is the name of the records of this package.
const Model = "gateway.audit"

// Settings stands in the place of a model in entries about settings.
const Settings = "settings"

// Models declares gateway.audit.
func Models() []*schema.Model {
	return []*schema.Model{{
		Name: Model, Label: "Audit Trail", Table: "gateway_audit", Order: "id desc",
		AdminOnly: true, NoLog: true, NoCreate: true,
		Indexes: []schema.Index{{Name: "model_res_id", Columns: []string{"model", "res_id"}}},
		Fields: []*schema.Field{
			schema.NewDatetime("at", "At").Req().RO().Index(),
			// The trail outlives the user; his login is kept beside him.
			schema.NewMany2one("user_id", "User", "res.users").RO().Index(),
			schema.NewChar("login", "Login").RO().Helped("Of the user; on the command line that of the operating system"),
			schema.NewChar("credential", "Credential").RO().Helped("Kind of the credential, such as jwt or api_key"),
			schema.NewInteger("credential_id", "Credential Id").RO(),
			schema.NewChar("ip", "IP Address").RO(),
			schema.NewChar("request_id", "Request Id").RO(),
			schema.NewSelection("origin", "Origin",
				string(API), "API", string(CLI), "Command Line", string(System), "Gatehouse").Req().RO(),
			schema.NewChar("model", "Model").Req().RO(),
			schema.NewInteger("res_id", "Record Id").RO(),
			schema.NewChar("name", "Record").RO().Helped("The record's name when it was changed"),
			schema.NewChar("action", "Action").Req().RO().Helped("create, write, unlink, or the method that was called"),
			schema.NewJSON("before", "Before").RO().Helped("The changed fields as they were; *** in place of secrets"),
			schema.NewJSON("after", "After").RO().Helped("The changed fields as they are; *** in place of secrets"),
		},
	}}
}
