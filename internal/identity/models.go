package identity

import "gatehouse/internal/schema"

// Models declares gateway.profile, gateway.key, gateway.client and
// gateway.token: the tables that this package reads and writes, as records for
// administrators. Whoever changes rows of gateway_key otherwise signals
// KeysChanged; of gateway_client, ClientsChanged; of gateway_profile, UsersChanged.
func Models() []*schema.Model {
	return []*schema.Model{profileModel(), keyModel(), clientModel(), tokenModel()}
}

func profileModel() *schema.Model {
	return &schema.Model{
		Name: "gateway.profile", Label: "API Profile", Table: "gateway_profile", Order: "name, id",
		AdminOnly: true,
		Uniques: []schema.Unique{{
			Name: "user_uniq", Columns: []string{"user_id"}, Message: "This user has an API profile already",
		}},
		Fields: append([]*schema.Field{
			schema.NewChar("name", "Name").Req(),
			userField().NoCopy(),
		}, append(limitFields(),
			schema.NewSelection("log_level", "Log Level", "errors", "Errors", "metadata", "Metadata", "full", "Full").
				Helped("How much of this user's traffic is logged; empty: the global setting"),
			schema.NewBoolean("active", "Active").Def(true),
		)...),
	}
}

func keyModel() *schema.Model {
	return &schema.Model{
		Name: "gateway.key", Label: "API Key", Table: "gateway_key", Order: "id desc",
		AdminOnly: true,
		Uniques: []schema.Unique{{
			Name: "hash_uniq", Columns: []string{"key_hash"}, Message: "This key exists already",
		}},
		Fields: append([]*schema.Field{
			schema.NewChar("name", "Name").Req(),
			userField(),
			schema.NewChar("key_hash", "Key Hash").Req().Hidden(),
			schema.NewChar("prefix", "Key Starts With").RO().NoCopy().Helped("The first 8 characters, to recognise the key by"),
			schema.NewText("scopes", "Scopes").Req().Helped("Such as read,orders_write,res.partner:read"),
		}, append(append(odooFields(), limitFields()...),
			schema.NewDatetime("expires_at", "Expires").Helped("Empty: never"),
			schema.NewBoolean("active", "Active").Def(true),
			schema.NewDatetime("revoked_at", "Revoked").RO().NoCopy(),
			schema.NewDatetime("last_used_at", "Last Used").RO().NoCopy(),
			schema.NewChar("last_used_ip", "Last Used From").RO().NoCopy(),
			// Not an integer field: 32 bits of requests do not last a busy key a month.
			schema.NewFloat("use_count", "Uses", 0).RO().NoCopy(),
		)...),
	}
}

func clientModel() *schema.Model {
	return &schema.Model{
		Name: "gateway.client", Label: "OAuth2 Client", Table: "gateway_client", Order: "id desc",
		AdminOnly: true,
		Uniques: []schema.Unique{{
			Name: "client_id_uniq", Columns: []string{"client_id"}, Message: "This client exists already",
		}},
		Fields: append([]*schema.Field{
			schema.NewChar("name", "Name").Req(),
			userField(),
			schema.NewChar("client_id", "Client ID").Req().RO().NoCopy(),
			schema.NewChar("secret_hash", "Secret Hash").Req().Hidden(),
			schema.NewText("public_key", "Public Key").Helped("For private_key_jwt: PEM, or a JSON Web Key or set of them"),
			schema.NewText("scopes", "Allowed Scopes").Req().Helped("Such as read,orders_write,res.partner:read"),
			schema.NewInteger("token_lifetime", "Token Lifetime (s)").Def(int64(DefaultTokenLifetime)),
		}, append(append(odooFields(), limitFields()...), schema.NewBoolean("active", "Active").Def(true))...),
	}
}

func tokenModel() *schema.Model {
	return &schema.Model{
		Name: "gateway.token", Label: "Token", Table: "gateway_token", Order: "id desc", RecName: "jti",
		AdminOnly: true, NoLog: true, NoCreate: true,
		Uniques: []schema.Unique{{
			Name: "jti_uniq", Columns: []string{"jti"}, Message: "This token exists already",
		}},
		Fields: []*schema.Field{
			schema.NewChar("jti", "Token Id").Req().RO(),
			userField().RO().Index(),
			schema.NewChar("family", "Family").Req().RO().Index().Helped("Shared by all tokens that came of one login"),
			schema.NewSelection("kind", "Kind", string(accessToken), "Access", string(refreshToken), "Refresh",
				string(clientToken), "Client", string(sessionToken), "Session",
				string(webToken), "Web Session").Req().RO(),
			schema.NewMany2one("client_id", "OAuth2 Client", "gateway.client").RO().Index(),
			schema.NewDatetime("issued_at", "Issued").RO(),
			schema.NewDatetime("expires_at", "Expires").RO().Index(),
			schema.NewDatetime("used_at", "Used").RO().Helped("When a refresh token was exchanged for its successor"),
			schema.NewDatetime("revoked_at", "Revoked").RO().Index(),
			schema.NewChar("ip", "Issued To").RO(),
			schema.NewChar("user_agent", "User Agent").RO(),
		},
	}
}

// userField is the user that a credential or profile belongs to; they go with him.
func userField() *schema.Field {
	return schema.NewMany2one("user_id", "User", "res.users").Req().OnDeleteDo(schema.Cascade)
}

// odooFields are as whom a credential calls the Odoo, where that is not its user.
func odooFields() []*schema.Field {
	return []*schema.Field{
		schema.NewChar("odoo_login", "Odoo Login").NoCopy().
			Helped("Whoever uses it calls the Odoo as the user with this login; empty: as the credential's own user. Needs odoo_key"),
		schema.NewChar("odoo_key", "Odoo API Key").Hidden().
			Helped("API key of that user, made in the Odoo; kept sealed and never shown"),
		schema.NewInteger("odoo_uid", "Odoo User").RO().NoCopy().Helped("Id that the user has in the Odoo"),
	}
}

// limitFields are what a profile gives and a key may override.
func limitFields() []*schema.Field {
	return []*schema.Field{
		schema.NewInteger("limit_minute", "Requests per Minute").Helped("0: no limit"),
		schema.NewInteger("limit_hour", "Requests per Hour").Helped("0: no limit"),
		schema.NewInteger("limit_day", "Requests per Day").Helped("0: no limit"),
		schema.NewText("allowed_ips", "Allowed IPs").Helped("Addresses or CIDR ranges, one per line; empty: all"),
	}
}
