//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
)

func TestSessions(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		nobody := s.anonymous(t)
		first := nobody.login("demo-sales", "demo-sales").is("data.token_type", "Bearer").is("data.expires_in", 3600)
		s.withToken(t, first.text("data.access_token")).get("auth/me").ok(200).is("data.login", "demo-sales").is("data.administrator", false)
		nobody.post("auth/login", obj{"email": "demo-sales", "password": "demo-sales"}).ok(200)
		nobody.post("auth/login", obj{"login": "demo-sales", "password": "wrong"}).fails(401, "unauthorized", "")
		nobody.post("auth/login", obj{"login": "demo-sales"}).fails(400, "bad_request", "Missing required field: password")

		// A refresh token works once; whoever uses it again ends all that came of it.
		refresh := func(a *answer) *answer {
			return nobody.post("auth/refresh", obj{"refresh_token": a.text("data.refresh_token")})
		}
		second := refresh(first).ok(200)
		third := refresh(second).ok(200)
		inside := s.withToken(t, third.text("data.access_token"))
		inside.get("ping").ok(200)
		refresh(first).fails(401, "unauthorized", "")
		refresh(third).fails(401, "unauthorized", "")
		within(t, notice, "the family is revoked", func() bool { return inside.get("ping").status == 401 })
		s.withToken(t, third.text("data.refresh_token")).get("ping").fails(401, "unauthorized", "")

		fourth := nobody.login("demo-sales", "demo-sales")
		inside = s.withToken(t, fourth.text("data.access_token"))
		inside.post("auth/logout", nil).ok(200)
		inside.get("ping").fails(401, "unauthorized", "")
		refresh(fourth).fails(401, "unauthorized", "")
	})
}

func TestKeys(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		key := s.cli(t, "key", "create", "--user", "demo-manager", "--name", "shop", "--scopes", "products_read,res.country:read")
		if len(key) != 64 || strings.Trim(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
			t.Errorf("the key is %q", key)
		}
		shop := s.withKey(t, key)
		shop.get("products", "limit", "1").ok(200).len("data", 1)
		shop.get("res.country", "limit", "1").ok(200).len("data", 1)
		shop.get("ping").ok(200).is("data.user.login", "demo-manager")
		for path, scope := range map[string]string{"orders": "orders_read", "res.partner": "read", "sale.order": "read"} {
			shop.get(path).fails(403, "forbidden", scope)
		}
		shop.post("products", obj{"name": "x"}).fails(403, "forbidden", "products_write")
		shop.get("settings").fails(403, "forbidden", "admin")
		shop.with("Authorization", "Bearer x.y.z").get("ping").fails(400, "bad_request", "")

		var keys []obj
		s.cliJSON(t, &keys, "key", "list")
		id, text := "", fmt.Sprint(keys)
		for _, k := range keys {
			if strings.HasPrefix(key, k["prefix"].(string)) {
				id = fmt.Sprint(k["id"])
				if user := k["user_id"].(map[string]any); user["id"] != 5.0 || user["name"] != "Mara Lindqvist" {
					t.Errorf("key list names the user %v", user)
				}
				for _, field := range []string{"allowed_ips", "last_used_at", "last_used_ip", "use_count"} {
					if _, shown := k[field]; !shown {
						t.Errorf("key list does not show %s", field)
					}
				}
			}
		}
		if id == "" || strings.Contains(text, key) {
			t.Errorf("key list shows %s", text)
		}
		s.cli(t, "key", "revoke", id)
		within(t, notice, "a revoked key is refused", func() bool { return shop.get("ping").status == 401 })

		closed := s.cli(t, "key", "create", "--user", "demo-manager", "--name", "far", "--scopes", "read", "--allowed-ips", "10.0.0.0/8,fd00::/8")
		s.withKey(t, closed).get("ping").fails(403, "forbidden", "")
		s.withKey(t, strings.Repeat("x", 64)).get("ping").fails(401, "unauthorized", "")
	})
}

// Administrators make keys over the API too: the secret is answered once.
func TestKeysOverTheAPI(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		admin := s.as(t, "admin")
		made := admin.post("gateway.key", obj{"name": "api", "user_id": 2, "scopes": "read"}).ok(201)
		key := made.text("data.key")
		s.withKey(t, key).get("ping").ok(200)
		shown := admin.get("gateway.key/" + made.text("data.id")).ok(200)
		if strings.Contains(shown.raw, key) || strings.Contains(shown.raw, "hash") {
			t.Errorf("secrets are shown: %s", shown.raw)
		}
		s.as(t, "demo-manager").get("gateway.key").fails(403, "forbidden", "")
		admin.delete("gateway.key/" + made.text("data.id")).ok(200)
		within(t, notice, "a deleted key is refused", func() bool { return s.withKey(t, key).get("ping").status == 401 })
	})
}

// The command line changes users and settings while the server runs.
func TestUsers(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.cliIn(t, "first secret\n", "user", "create", "--login", "ann", "--name", "Ann Lee",
			"--groups", "base.group_user,sales_team.group_sale_salesman")
		nobody := s.anonymous(t)
		ann := s.withToken(t, nobody.login("ann", "first secret").is("data.user.name", "Ann Lee").text("data.access_token"))
		ann.get("orders").ok(200).is("meta.total", 0)

		s.cliIn(t, "second secret\n", "user", "password", "ann")
		within(t, notice, "a new password ends sessions", func() bool { return ann.get("ping").status == 401 })
		nobody.post("auth/login", obj{"login": "ann", "password": "first secret"}).fails(401, "unauthorized", "")
		ann = s.withToken(t, nobody.login("ann", "second secret").text("data.access_token"))
		key := s.withKey(t, s.cli(t, "key", "create", "--user", "ann", "--name", "ann", "--scopes", "read"))
		key.get("ping").ok(200)

		var users []obj
		s.cliJSON(t, &users, "user", "list")
		if text := fmt.Sprint(users); !strings.Contains(text, "login:ann ") || strings.Contains(text, "argon2") {
			t.Errorf("user list shows %s", text)
		}
		s.cli(t, "user", "archive", "ann")
		within(t, notice, "archived users are out", func() bool { return ann.get("ping").status == 401 && key.get("ping").status == 401 })
		nobody.post("auth/login", obj{"login": "ann", "password": "second secret"}).fails(401, "unauthorized", "")
	})
}

func TestSettings(t *testing.T) {
	for _, store := range stores {
		t.Run(store, func(t *testing.T) {
			s := newSiteFor(t, store, "GATEHOUSE_ADMIN_PASSWORD=admin").serve(t)
			admin := s.as(t, "admin")
			s.cli(t, "setting", "set", "default_get_limit", "3")
			within(t, notice, "a setting of the command line is noticed", func() bool {
				return admin.get("res.country").text("meta.limit") == "3"
			})
			admin.patch("settings", obj{"max_get_limit": 10}).ok(200)
			admin.get("res.country", "limit", "50").ok(200).is("meta.limit", 10).len("data", 10)
			if got := s.cli(t, "setting", "get", "max_get_limit"); got != "10" {
				t.Errorf("setting get says %q", got)
			}
			admin.patch("settings", obj{"max_get_limit": "many"}).fails(400, "bad_request", "max_get_limit")
		})
	}
}
