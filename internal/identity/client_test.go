package identity

import (
	"context"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// client makes an OAuth2 client for Marc with the values over the usual ones.
func (h *house) client(values map[string]any) (id, secret string) {
	h.t.Helper()
	secret, hash := NewClientSecret()
	row := map[string]any{
		"name": "bi", "user_id": marc, "client_id": NewClientID(), "secret_hash": hash, "scopes": "read,write",
		"token_lifetime": 3600, "active": true, "allowed_ips": "", "public_key": "",
		"limit_minute": 0, "limit_hour": 0, "limit_day": 0,
	}
	for name, v := range values {
		row[name] = v
	}
	names, marks, args := []string{}, []string{}, []any{}
	for name, v := range row {
		names, args = append(names, name), append(args, v)
		marks = append(marks, "$"+strconv.Itoa(len(args)))
	}
	h.change([]string{ClientsChanged}, "insert into gateway_client ("+strings.Join(names, ", ")+") values ("+strings.Join(marks, ", ")+")", args...)
	id, _ = row["client_id"].(string)
	return id, secret
}

// issueTo gets a token for a client.
func (h *house) issueTo(id, secret, scopes string) string {
	h.t.Helper()
	c, err := h.AuthenticateClient(h.t.Context(), id, secret, here)
	if err != nil {
		h.t.Fatal(err)
	}
	token, _, err := h.IssueClientToken(h.t.Context(), c, c.Scopes().Cut(scopes), here)
	if err != nil {
		h.t.Fatal(err)
	}
	return token
}

func TestClientToken(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		h.exec(`insert into gateway_profile (name, user_id, limit_minute, limit_hour, allowed_ips, log_level, active)
			values ('p', 3, 10, 100, '192.0.2.0/24', 'full', true)`)
		id, secret := h.client(map[string]any{"limit_minute": 5, "token_lifetime": 90})
		if !isClientID(id) || len(secret) != clientSecretLen {
			t.Errorf("%q %q", id, secret)
		}
		token := h.issueTo(id, secret, "read")
		p := h.accepts(h.bearer(token))
		row := h.number(`select id from gateway_client where client_id = $1`, id)
		if p.UserID != marc || p.Kind != ClientToken || p.CredentialID != row || p.Scopes.String() != "read" || p.Family != "" ||
			p.Subject != "client:"+strconv.FormatInt(row, 10) || p.Limits != (Limits{Minute: 5, Hour: 100}) || p.LogLevel != "full" ||
			len(p.AllowedIPs) != 1 || p.Administrator || len(p.TokenID) != 32 {
			t.Errorf("%+v", p)
		}
		if again := h.accepts(h.bearer(token)); again != p {
			t.Error("not from memory")
		}
		said := jwt.MapClaims{}
		if _, _, err := jwt.NewParser().ParseUnverified(token, said); err != nil || said["sub"] != "3" || said["client_id"] != id ||
			said["type"] != "client" || said["exp"].(float64)-said["iat"].(float64) != 90 || len(said["scopes"].([]any)) != 1 {
			t.Errorf("%v %v", said, err)
		}
		if n := h.number(`select count(*) from gateway_token where kind = 'client' and client_id = $1 and user_id = 3 and jti = $2 and ip = '192.0.2.7'`,
			row, p.TokenID); n != 1 {
			t.Errorf("%d tokens recorded", n)
		}
		h.clock.Pass(90 * time.Second)
		_, err := h.bearer(token)
		h.refuses("Token has expired", err)
		if n := h.number(`select count(*) from gateway_client where secret_hash = $1 or name = $1`, secret); n != 0 {
			t.Error("the secret itself is stored")
		}
	})
}

// A client's token is no session, and a session's tokens are no client's.
func TestClientTokenIsOfItsOwnType(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		id, secret := h.client(nil)
		token := h.issueTo(id, secret, "read")
		_, err := h.Refresh(t.Context(), token, here)
		h.refuses("Invalid token: a refresh token is needed", err)
		if err := h.Logout(t.Context(), h.accepts(h.bearer(token)), ""); !fault.Is(err, fault.BadRequest) {
			t.Errorf("logged out: %v", err)
		}
		h.accepts(h.bearer(token))
		for name, change := range map[string]func(*claims){
			"client without its type": func(c *claims) { c.Type = accessToken },
			"type without a client":   func(c *claims) { c.ClientID = "" },
			"another client":          func(c *claims) { c.ClientID = "gw_000000000000" },
			"another user":            func(c *claims) { c.Subject = "2" },
			"another issuer":          func(c *claims) { c.Issuer = "x" },
			"not a client's name":     func(c *claims) { c.ClientID = "gw_' or 1=1 --" },
		} {
			said, err := h.parse(t.Context(), token, h.clock.Now())
			if err != nil {
				t.Fatal(err)
			}
			change(said)
			forged, err := h.sign(said)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := h.bearer(forged); !fault.Is(err, fault.Unauthenticated) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// What changes a client shuts its tokens out, or narrows them, on every node.
func TestClientChangesEverywhere(t *testing.T) {
	signal := []string{ClientsChanged}
	for name, test := range map[string]struct {
		change func(*house)
		want   string // "": still let in
	}{
		"deactivated": {func(h *house) { h.change(signal, `update gateway_client set active = false`) }, "The client of this token is not active"},
		"deleted":     {func(h *house) { h.change(signal, `delete from gateway_client`) }, "The client of this token is not active"},
		"runs as another": {
			func(h *house) { h.change(signal, `update gateway_client set user_id = 2`) }, "Token has been revoked",
		},
		"user archived": {
			func(h *house) {
				h.change([]string{UsersChanged}, `update res_users set active = false where id = 3`)
			}, "The user of this credential is not active",
		},
		"revoked": {
			func(h *house) {
				if err := h.RevokeToken(h.t.Context(), h.number(`select max(id) from gateway_token`)); err != nil {
					h.t.Fatal(err)
				}
			}, "Token has been revoked",
		},
		"secret changed": {func(h *house) { h.change(signal, `update gateway_client set secret_hash = 'x'`) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			sqltest.EachPair(t, func(t *testing.T, db, second sqldb.DB) {
				h := buildPair(t, db, second)
				other := h.node()
				id, secret := h.client(nil)
				token := h.issueTo(id, secret, "read write")
				h.accepts(h.bearer(token))
				header := http.Header{"Authorization": {"Bearer " + token}}
				h.accepts(other.Identify(t.Context(), header, here.IP))
				test.change(h)
				if test.want == "" {
					h.accepts(h.bearer(token))
					return
				}
				_, err := h.bearer(token)
				h.refuses(test.want, err)
				eventually(t, "refused on the other node", func() bool {
					_, err := other.Identify(t.Context(), header, here.IP)
					return fault.Is(err, fault.Unauthenticated)
				})
			})
		})
	}
}

func TestClientScopesAreCut(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		id, secret := h.client(nil)
		token := h.issueTo(id, secret, "read write admin")
		if p := h.accepts(h.bearer(token)); p.Scopes.String() != "read write" {
			t.Errorf("scopes %q", p.Scopes)
		}
		h.change([]string{ClientsChanged}, `update gateway_client set scopes = 'read,delete,admin'`)
		if p := h.accepts(h.bearer(token)); p.Scopes.String() != "read write" { // admin covers both
			t.Errorf("scopes %q", p.Scopes)
		}
		h.change([]string{ClientsChanged}, `update gateway_client set scopes = 'write,delete'`)
		if p := h.accepts(h.bearer(token)); p.Scopes.String() != "write" {
			t.Errorf("scopes %q", p.Scopes)
		}
		h.change([]string{ClientsChanged}, `update gateway_client set scopes = 'nonsense'`)
		if p := h.accepts(h.bearer(token)); !p.Scopes.IsZero() || p.Scopes.Allows(Need{Action: Read}) {
			t.Errorf("scopes %q", p.Scopes)
		}
	})
}

func TestClientAddresses(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		h.exec(`insert into gateway_profile (name, user_id, allowed_ips, active) values ('p', 3, '198.51.100.0/24', true)`)
		id, secret := h.client(nil)
		_, err := h.AuthenticateClient(t.Context(), id, secret, here)
		if !fault.Is(err, fault.Forbidden) || !strings.Contains(err.Error(), "192.0.2.7") {
			t.Errorf("the profile's list: %v", err)
		}
		h.change([]string{ClientsChanged}, `update gateway_client set allowed_ips = '192.0.2.7'`)
		token := h.issueTo(id, secret, "read")
		if p := h.accepts(h.bearer(token)); len(p.AllowedIPs) != 1 || p.AllowedIPs[0].String() != "192.0.2.7/32" {
			t.Errorf("at use: %v", p.AllowedIPs)
		}
		h.change([]string{ClientsChanged}, `update gateway_client set allowed_ips = 'everywhere'`)
		if _, err := h.bearer(token); !fault.Is(err, fault.Forbidden) {
			t.Errorf("a list that cannot be read: %v", err)
		}
	})
}

func TestAuthenticateClientRefuses(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		id, secret := h.client(nil)
		idle, idleSecret := h.client(map[string]any{"active": false})
		empty, _ := h.client(map[string]any{"secret_hash": KeyHash("")})
		for _, test := range [][2]string{
			{id, "x"},
			{id, ""},
			{id, strings.ToUpper(secret)},
			{id, secret + " "},
			{id, KeyHash(secret)},
			{"gw_000000000000", secret},
			{"", ""},
			{strings.ToUpper(id), secret},
			{id + "\x00", secret},
			{idle, idleSecret},
			{empty, ""},
			{"gw_0", secret},
		} {
			h.attempts = newAttempts()
			if _, err := h.AuthenticateClient(t.Context(), test[0], test[1], here); !fault.Is(err, fault.Unauthenticated) ||
				fault.From(err).Message != "Client authentication failed" {
				t.Errorf("%q: %v", test, err)
			}
		}
		h.change([]string{UsersChanged}, `update res_users set active = false where id = 3`)
		if _, err := h.AuthenticateClient(t.Context(), id, secret, here); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("user archived: %v", err)
		}
	})
}

func TestClientAttempts(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		id, secret := h.client(nil)
		other, otherSecret := h.client(nil)
		for range accountAttempts {
			_, _ = h.AuthenticateClient(t.Context(), id, "x", here)
		}
		if _, err := h.AuthenticateClient(t.Context(), id, secret, here); !fault.Is(err, fault.RateLimited) {
			t.Errorf("after %d failures: %v", accountAttempts, err)
		}
		if _, err := h.AuthenticateClient(t.Context(), other, otherSecret, here); err != nil {
			t.Errorf("another client: %v", err)
		}
		for range addressAttempts {
			_, _ = h.AuthenticateClient(t.Context(), NewClientID(), "x", here)
		}
		if _, err := h.AuthenticateClient(t.Context(), other, otherSecret, here); !fault.Is(err, fault.RateLimited) {
			t.Errorf("from that address: %v", err)
		}
		far := Meta{IP: netip.MustParseAddr("198.51.100.1")}
		if _, err := h.AuthenticateClient(t.Context(), other, otherSecret, far); err != nil {
			t.Errorf("from elsewhere: %v", err)
		}
		h.clock.Pass(attemptWindow)
		if _, err := h.AuthenticateClient(t.Context(), id, secret, here); err != nil {
			t.Errorf("later: %v", err)
		}
	})
}

func TestRevokeAndInspect(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		id, secret := h.client(map[string]any{"token_lifetime": MaxTokenLifetime})
		mine, kept := h.issueTo(id, secret, "read"), h.issueTo(id, secret, "read")
		user := h.login("marc")
		stranger, strangerSecret := h.client(nil)
		inspect := func(token string) *TokenInfo {
			info, err := h.InspectToken(t.Context(), token)
			if err != nil {
				t.Fatal(err)
			}
			return info
		}
		if i := inspect(mine); i == nil || i.Scope != "read" || i.ClientID != id || i.Username != "marc" || i.Subject != "3" ||
			i.Expires.Sub(i.IssuedAt) != maxLife || i.ID == "" {
			t.Errorf("%+v", i)
		}
		if i := inspect(user.AccessToken); i == nil || i.Scope != "" || i.ClientID != "" || i.Username != "marc" {
			t.Errorf("%+v", i)
		}
		revoke := func(id, secret, token string) {
			c, err := h.AuthenticateClient(t.Context(), id, secret, here)
			if err == nil {
				err = h.RevokeClientToken(t.Context(), c, token)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, token := range []string{user.AccessToken, user.RefreshToken, "nonsense", "a.b.c"} {
			revoke(id, secret, token)
		}
		revoke(stranger, strangerSecret, mine)
		h.accepts(h.bearer(mine))
		h.accepts(h.bearer(user.AccessToken))
		revoke(id, secret, mine)
		if inspect(mine) != nil || inspect(user.RefreshToken) != nil || inspect("nonsense") != nil {
			t.Error("told as active")
		}
		h.accepts(h.bearer(kept))
		// Days later another node starts: it must know of tokens that live long.
		h.clock.Pass(5 * 24 * time.Hour)
		late := h.node()
		_, err := late.identifyToken(context.Background(), mine, h.clock.Now())
		h.refuses("Token has been revoked", err)
		h.accepts(late.identifyToken(context.Background(), kept, h.clock.Now()))
	})
}
