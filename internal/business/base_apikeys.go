package business

import s "gatehouse/internal/schema"

// userKeyModel is the API keys of users, in Odoo's own table. Package gateway
// gives them their behaviour, package identity looks them up.
func userKeyModel() *s.Model {
	return &s.Model{
		Name: "res.users.apikeys", Label: "Users API Keys", Order: "id", NoLog: true,
		Fields: []*s.Field{
			s.NewChar("name", "Description").Req().RO(),
			s.NewMany2one("user_id", "User", "res.users").Req().RO().Index().OnDeleteDo(s.Cascade),
			s.NewChar("scope", "Scope").RO(),
			s.NewDatetime("create_date", "Creation Date").RO().NoCopy(),
			s.NewSelection("duration", "Duration",
				"1", "1 Day", "7", "1 Week", "30", "1 Month", "90", "3 Months", "180", "6 Months", "365", "1 Year",
				"0", "Persistent Key", "-1", "Custom Date").NoCopy().
				Helped("How long a new key holds; Odoo asks for it in a form of its own"),
			s.NewDatetime("expiration_date", "Expiration Date").RO().NoCopy(),
			s.NewChar("index", "Index").RO().Hidden().Index().MaxSize(8),
			s.NewChar("key", "Key").RO().Hidden(),
		},
	}
}
