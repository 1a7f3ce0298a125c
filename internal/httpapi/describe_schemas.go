package httpapi

import (
	"gatehouse/internal/httpapi/wire"
	"gatehouse/internal/identity"
)

// Names of schemas that stand for the records of a model. In paths of one model
// the document puts those of this model in their place.
const (
	SchemaRecord  = "Record"        // as answered
	SchemaCreate  = "RecordCreate"  // as sent to make one
	SchemaCreates = "RecordsCreate" // as sent to make one or several
	SchemaUpdate  = "RecordUpdate"  // as sent to change one
)

// Schemas are those that descriptions refer to by name. Those of curated
// resources are not here: see Resource.Schemas.
func Schemas() []wire.Member {
	count := func(doc string) *wire.Schema { return wire.Whole(doc) }
	page := []wire.Member{
		wire.Must("total", count("All matches; null where they were not counted.").OrNull()),
		wire.Must("limit", count("Records that the answer may hold at most.")),
		wire.Must("offset", count("Records that were skipped.")),
		wire.Must("count", count("Records in the answer.")),
		wire.Must("next_cursor", wire.Text("Send it as cursor to read on; null on the last page.").OrNull()),
	}
	numbered := append(page[:len(page):len(page)],
		wire.May("page", count("Page, from 1; where the caller asked by page.")),
		wire.May("per_page", count("Records on a page.")),
		wire.May("pages", count("Pages there are.")))
	return append(wire.Links(),
		wire.Must(SchemaRecord, wire.Object(wire.Must("id", wire.RecordID(""))).Open("A field of the model.").
			About("A record: its fields by Odoo's names, those that were asked for.").
			Like(map[string]any{"id": 7, "name": "Acme Corp", "country_id": map[string]any{"id": 21, "name": "Belgium"}})),
		wire.Must(SchemaCreate, wire.MapOf(wire.Anything("A field of the model."), "Fields of a new record, by Odoo's names.").
			Like(map[string]any{"name": "Acme Corp", "is_company": true})),
		wire.Must(SchemaCreates, oneOrSeveral(SchemaCreate)),
		wire.Must(SchemaUpdate, wire.MapOf(wire.Anything("A field of the model."), "Fields to change, by Odoo's names.").
			Like(map[string]any{"phone": "+32 2 555 01 23"})),
		wire.Must("ID", wire.Object(wire.Must("id", wire.RecordID("")))),
		wire.Must("Page", wire.Object(page...).About("Which part of a list was answered.")),
		wire.Must("NumberedPage", wire.Object(numbered...).About("Which part of a list was answered.")),
		wire.Must("User", wire.Object(userMembers()...)),
		wire.Must("TokenPair", wire.Object(tokenMembers()...)),
		wire.Must("Settings", wire.MapOf(wire.Anything(""), "Values of settings, by name.").Like(map[string]any{"default_get_limit": 80})),
		wire.Must("Setting", wire.Object(
			wire.Must("name", wire.Text("")), wire.Must("label", wire.Text("")), wire.Must("doc", wire.Text("")),
			wire.Must("type", wire.Word("", "integer", "boolean", "selection", "list")),
			wire.May("options", wire.ListOf(wire.Text(""), "Choices of a selection.")),
			wire.May("min", wire.Whole("")), wire.May("max", wire.Whole("")),
			wire.Must("default", wire.Anything("")), wire.Must("value", wire.Anything("What holds now.")),
		)),
		wire.Must("Credential", wire.Word("Kind of credential.", string(identity.UserToken), string(identity.UserKey),
			string(identity.APIKey), string(identity.ClientToken), string(identity.Session))),
	)
}

func userMembers() []wire.Member {
	return []wire.Member{
		wire.Must("id", wire.RecordID("")), wire.Must("name", wire.Text("")), wire.Must("login", wire.Text("")),
	}
}

func tokenMembers() []wire.Member {
	return []wire.Member{
		wire.Must("access_token", wire.Text("Send it as Authorization: Bearer.")),
		wire.Must("refresh_token", wire.Text("Exchange it, once, for a new pair.")),
		wire.Must("token_type", wire.Word("", "Bearer")),
		wire.Must("expires_in", wire.Whole("Seconds that the access token holds.")),
	}
}

func loginSchema() *wire.Schema {
	return wire.Object(wire.May("login", wire.Text("")), wire.May("email", wire.Text("In place of login.")),
		wire.Must("password", wire.Text("").As("password"))).Open("Not looked at.")
}

// oneOrSeveral is a body or an answer about one thing or a list of them.
func oneOrSeveral(name string) *wire.Schema {
	list := wire.ListOf(wire.Named(name), "")
	list.Fewest = 1
	return wire.Either("", wire.Named(name), list)
}

// clientForm is a form to an endpoint of OAuth2 clients, with the ways in which
// they authenticate where they do not use HTTP Basic.
func clientForm(members ...wire.Member) *wire.Schema {
	return wire.Object(append(members,
		wire.May("client_id", wire.Text("Where the client does not use HTTP Basic.")),
		wire.May("client_secret", wire.Text("").As("password")),
		wire.May("client_assertion_type", wire.Word("", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")),
		wire.May("client_assertion", wire.Text("A JWT that the client signed (private_key_jwt, RFC 7523).")))...).
		Open("Not looked at.")
}

func tokenForm() *wire.Schema {
	return clientForm(wire.Must("token", wire.Text("")), wire.May("token_type_hint", wire.Text("Not looked at.")))
}

func issuedSchema() *wire.Schema {
	return wire.Object(
		wire.Must("access_token", wire.Text("Send it as Authorization: Bearer.")), wire.Must("token_type", wire.Word("", "Bearer")),
		wire.Must("expires_in", wire.Whole("Seconds.")), wire.Must("scope", wire.Text("What the token may do.").Like("read")))
}

func introspectionSchema() *wire.Schema {
	members := []wire.Member{wire.Must("active", wire.Truth("Whether the token holds; if not, nothing else is told."))}
	for _, name := range []string{"scope", "client_id", "username", "token_type", "sub", "iss", "jti"} {
		members = append(members, wire.May(name, wire.Text("")))
	}
	return wire.Object(append(members, wire.May("exp", wire.Whole("Unix time.")), wire.May("iat", wire.Whole("Unix time.")))...)
}

func metadataSchema() *wire.Schema {
	var members []wire.Member
	for _, name := range []string{"issuer", "token_endpoint", "jwks_uri", "revocation_endpoint", "introspection_endpoint"} {
		members = append(members, wire.Must(name, wire.Text("").As("uri")))
	}
	for _, name := range []string{
		"scopes_supported", "response_types_supported", "grant_types_supported",
		"token_endpoint_auth_methods_supported", "token_endpoint_auth_signing_alg_values_supported",
		"revocation_endpoint_auth_methods_supported", "revocation_endpoint_auth_signing_alg_values_supported",
		"introspection_endpoint_auth_methods_supported", "introspection_endpoint_auth_signing_alg_values_supported",
	} {
		members = append(members, wire.Must(name, wire.ListOf(wire.Text(""), "")))
	}
	return wire.Object(members...)
}

// streamedMedia are the forms in which a list can be asked for as a whole.
func streamedMedia() []Media {
	return []Media{
		{"text/csv", wire.Text("All records, a header line first (RFC 4180).")},
		{"application/x-ndjson", wire.Text("All records, one in a line.")},
	}
}
