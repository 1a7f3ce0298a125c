package httpapi

import (
	"net/http"

	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi/wire"
	"gatehouse/internal/oauth"
	"gatehouse/internal/throttle"
)

// oauthRoutes are the endpoints of OAuth2 clients, and the records behind them.
func (s *Server) oauthRoutes() []Route {
	if s.deps.OAuth == nil {
		return nil
	}
	rfc := func(method, pattern, summary, output string, access Access, h handler) Route {
		r := Route{Method: method, Pattern: pattern, Summary: summary, Output: output, Access: access, Limiting: Counted, Style: RFC, handler: h}
		r.Doc.Tag = TagOAuth
		if method == http.MethodPost {
			r.Input, r.Doc.BodyType = "a form (application/x-www-form-urlencoded): ", "application/x-www-form-urlencoded"
			r.Doc.Faults = []fault.Kind{fault.Unauthenticated, fault.Forbidden}
		}
		return r
	}
	token := rfc("POST", oauth.TokenPath, "Issues a token to a client (RFC 6749)",
		"access_token, token_type, expires_in, scope", Public, with(s.readForm, s.issueToken))
	token.Input += "grant_type=client_credentials, scope, and how the client authenticates"
	token.Doc.ID, token.Doc.Body, token.Doc.Data = "issueToken", clientForm(
		wire.Must("grant_type", wire.Word("", "client_credentials")),
		wire.May("scope", wire.Text("Scopes, separated by spaces; none: all that the client is allowed.").Like("read"))), issuedSchema()
	revoke := rfc("POST", oauth.RevokePath, "Revokes a token of the client (RFC 7009)", "an empty object", Public, with(s.readForm, s.revokeToken))
	revoke.Input += "token, and how the client authenticates"
	revoke.Doc.ID, revoke.Doc.Body, revoke.Doc.Data = "revokeToken", tokenForm(), wire.Object()
	introspect := rfc("POST", oauth.IntrospectPath, "Tells whether a token holds (RFC 7662)", "active and, if so, what the token says",
		ClientOrAdmin, with(s.readForm, s.introspect))
	introspect.Input += "token, and how the client authenticates; administrators may use a credential of the API"
	introspect.Doc.ID, introspect.Doc.Body, introspect.Doc.Data = "introspectToken", tokenForm(), introspectionSchema()
	metadata := rfc("GET", oauth.MetadataPath, "What the server of tokens can do (RFC 8414)", "the metadata", Public, bare(s.describeOAuth))
	metadata.Doc.ID, metadata.Doc.Data = "oauthMetadata", metadataSchema()
	keys := rfc("GET", oauth.KeysPath, "Public keys to check tokens with (RFC 7517)", "keys", Public, bare(s.tokenKeys))
	keys.Doc.ID, keys.Doc.Data = "tokenKeys", wire.Object(wire.Must("keys", wire.ListOf(
		wire.Object(wire.Must("kty", wire.Text("Type of key."))).Open("Of a JSON Web Key."), "")))
	return append([]Route{token, revoke, introspect, metadata, keys}, s.clientRoutes()...)
}

// clientRoutes are other paths to the records of gateway.client and
// gateway.token.
func (s *Server) clientRoutes() []Route {
	const clients, client = "/api/oauth/clients", "/api/oauth/clients/{id}"
	back := append([]Param{fieldsParam(), valuesParam()}, contextParams()...)
	route := func(method, pattern, summary, output, id string, params []Param, h handler) Route {
		return Route{
			Method: method, Pattern: pattern, Summary: summary, Output: output, Params: params, handler: h,
			Access: AdminOnly, Limiting: Counted, Model: "gateway.client",
			Doc: Doc{ID: id, Tag: TagOAuth, Data: wire.Named(SchemaRecord)},
		}
	}
	create := route("POST", clients, "Creates an OAuth2 client; its secret is shown this once", "id, client_id and secret", "createClient", back,
		with(s.readCreate, s.createRecords))
	create.Doc.Body, create.Doc.Data = wire.Named(SchemaCreates), oneOrSeveral(SchemaRecord)
	create.Doc.Statuses, create.Doc.Tells = []int{http.StatusCreated}, []string{"Location"}
	create.Input = "name, user_id and scopes; token_lifetime, limits, allowed_ips, public_key"
	change := route("PATCH", client, "Changes an OAuth2 client", "the id", "updateClient", back, with(s.readWrite, s.writeRecord))
	change.Input, change.Doc.Body = "an object of fields", wire.Named(SchemaUpdate)
	tokens := route("GET", "/api/oauth/tokens", "Tokens that were issued to clients", "a list of records", "listTokens", listParams(),
		with(s.readTokens, s.listRecords))
	tokens.Model = "gateway.token"
	list := route("GET", clients, "OAuth2 clients", "a list of records", "listClients", listParams(), with(s.readList, s.listRecords))
	for _, r := range []*Route{&list, &tokens} {
		r.Doc.Data, r.Doc.Meta = wire.ListOf(wire.Named(SchemaRecord), ""), wire.Named("Page")
	}
	remove := route("DELETE", client, "Deletes an OAuth2 client; its tokens end", "the id", "deleteClient", contextParams(), with(s.readOne, s.deleteRecord))
	remove.Doc.Data = wire.Named("ID")
	return []Route{
		list, create,
		route("GET", client, "One OAuth2 client", "the record", "getClient", back, with(s.readOne, s.getRecord)),
		change, remove, tokens,
	}
}

// readTokens narrows a list of tokens to those of clients.
func (s *Server) readTokens(c *call) (listInput, error) {
	in, err := s.readList(c)
	in.only = &domain.Leaf{Path: "kind", Op: domain.OpEq, Value: "client", Pos: -1}
	return in, err
}

// readForm takes a request to an OAuth2 endpoint as it is: package oauth reads it.
func (s *Server) readForm(c *call) (*oauth.Request, error) {
	if err := s.receiveBody(c); err != nil {
		return nil, err
	}
	issuer, err := s.issuer(c)
	return &oauth.Request{
		Authorization: c.r.Header["Authorization"], ContentType: c.r.Header.Get("Content-Type"),
		Body: c.body, Issuer: issuer, Meta: c.origin(),
	}, err
}

// issuer is this server as the caller reaches it, unless that is configured.
func (s *Server) issuer(c *call) (string, error) {
	if s.deps.PublicURL != "" {
		return s.deps.PublicURL, nil
	}
	return oauth.IssuerAt(throttle.Secure(c.r, s.deps.TrustedProxies), c.r.Host)
}

func (s *Server) issueToken(c *call, in *oauth.Request) (reply, error) {
	token, err := s.deps.OAuth.Token(c.ctx, in)
	return reply{data: token}, err
}

func (s *Server) revokeToken(c *call, in *oauth.Request) (reply, error) {
	return reply{data: struct{}{}}, s.deps.OAuth.Revoke(c.ctx, in)
}

func (s *Server) introspect(c *call, in *oauth.Request) (reply, error) {
	found, err := s.deps.OAuth.Introspect(c.ctx, in, c.who != nil)
	return reply{data: found}, err
}

func (s *Server) describeOAuth(c *call) (reply, error) {
	issuer, err := s.issuer(c)
	if err != nil {
		return reply{}, err
	}
	names := make([]string, len(s.deps.Resources))
	for i := range s.deps.Resources {
		names[i] = s.deps.Resources[i].Name
	}
	return reply{data: oauth.Describe(issuer, names)}, nil
}

func (s *Server) tokenKeys(*call) (reply, error) { return reply{data: s.deps.OAuth.Keys()}, nil }
