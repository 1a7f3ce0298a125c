package app

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"gatehouse/internal/config"
)

const attachments = "/api/v1/ir.attachment"

// as signs somebody of the demo data in and gives his headers.
func (h *house) as(login string) []string {
	h.Helper()
	token := h.send("POST", "/api/v1/auth/login", `{"login":"`+login+`","password":"`+login+`"}`).want(200).data()["access_token"].(string)
	return []string{"Authorization", "Bearer " + token}
}

// attach makes an attachment of values (JSON without braces) and gives its path.
func (h *house) attach(who []string, values string) string {
	h.Helper()
	return h.send("POST", attachments, "{"+values+"}", who...).want(201).header.Get("Location")
}

// first is the id of the first record that somebody finds.
func (h *house) first(who []string, model, domain string) int {
	h.Helper()
	found := h.send("GET", "/api/v1/"+model+"?fields=id&limit=1&domain="+strings.ReplaceAll(domain, " ", "%20"), "", who...).want(200).list()
	if len(found) == 0 {
		h.Fatalf("no %s %s", model, domain)
	}
	return int(found[0].(map[string]any)["id"].(float64))
}

// names are the attachments that somebody finds, sorted and joined.
func (h *house) names(who []string, domain string) string {
	h.Helper()
	var names []string
	for _, one := range h.send("GET", attachments+"?fields=name&domain="+domain, "", who...).want(200).list() {
		names = append(names, one.(map[string]any)["name"].(string))
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func withDemo(c *config.Config) { c.Store.Demo = true }

func TestAttachments(t *testing.T) {
	onBothStores(t, func(h *house) {
		partner := h.partner("With files")
		id := idIn(partner)
		about := `"res_model":"res.partner","res_id":` + id
		path := h.attach(nil, `"name":"offer.pdf","datas":"`+base64.StdEncoding.EncodeToString([]byte("%PDF-1.7 an offer"))+`",`+about)
		sum := sha1.Sum([]byte("%PDF-1.7 an offer"))
		is := h.send("GET", path+"?fields=name,type,file_size,checksum,mimetype,res_name,datas,raw,public,company_id", "").want(200).data()
		for name, want := range map[string]any{
			"name": "offer.pdf", "type": "binary", "file_size": 17.0, "checksum": hex.EncodeToString(sum[:]), "mimetype": "application/pdf",
			"res_name": "With files", "datas": "JVBERi0xLjcgYW4gb2ZmZXI=", "raw": "JVBERi0xLjcgYW4gb2ZmZXI=", "public": false,
		} {
			if is[name] != want {
				h.Errorf("%s is %v, want %v", name, is[name], want)
			}
		}
		if is := h.send("GET", path, "").want(200).data(); is["datas"] != nil || is["db_datas"] != nil {
			h.Error("the bytes are in what was not asked for them")
		}

		got := h.send("GET", path+"/datas", "").want(200)
		if got.text != "%PDF-1.7 an offer" || got.header.Get("Content-Type") != "application/pdf" || got.header.Get("Content-Disposition") != "attachment; filename=offer.pdf" {
			h.Errorf("%q %v", got.text, got.header)
		}
		tag := got.header.Get("ETag")
		h.send("GET", path+"/datas", "", "If-None-Match", tag).want(304)
		if part := h.send("GET", path+"/raw", "", "Range", "bytes=1-3").want(206); part.text != "PDF" {
			h.Errorf("a part: %q", part.text)
		}
		h.send("PUT", path+"/datas", "<html><script>alert(1)</script>", "If-Match", `"other"`).want(412)
		h.send("PUT", path+"/datas", "<html><script>alert(1)</script>", "Content-Type", "text/html").want(200)
		got = h.send("GET", path+"/datas", "", "If-None-Match", tag).want(200)
		if got.header.Get("Content-Type") != "application/octet-stream" || got.header.Get("X-Content-Type-Options") != "nosniff" ||
			!strings.HasPrefix(got.header.Get("Content-Disposition"), "attachment") || !strings.Contains(got.header.Get("Content-Security-Policy"), "sandbox") {
			h.Errorf("%v", got.header)
		}
		if is := h.send("GET", path+"?fields=file_size", "").data(); is["file_size"] != 31.0 {
			h.Errorf("after the upload: %v", is)
		}

		h.send("POST", attachments, `{"name":"x","datas":"not base64"}`).want(400)
		h.send("POST", attachments, `{"datas":"eA=="}`).want(400)
		// What follows from the bytes is not the caller's to say.
		lie := h.attach(nil, `"name":"lie.bin","datas":"eHg=","file_size":7,"checksum":"abc","store_fname":"../../etc/passwd"`)
		if is := h.send("GET", lie+"?fields=file_size,checksum,store_fname", "").data(); is["file_size"] != 2.0 || is["store_fname"] != nil || is["checksum"] == "abc" {
			h.Error(is)
		}
		link := h.attach(nil, `"name":"a link","type":"url","url":"https://example.com"`)
		h.send("GET", link+"/datas", "").want(404)
		h.send("PATCH", lie, `{"datas":null}`).want(200)
		h.send("GET", lie+"/datas", "").want(404)
		copied := int(h.send("POST", path+"/copy", "").want(200).list()[0].(float64))
		if got := h.send("GET", fmt.Sprintf("%s/%d/datas", attachments, copied), "").want(200); got.text != "<html><script>alert(1)</script>" {
			h.Errorf("a copy of %q", got.text)
		}

		// Deleting a record deletes what is attached to it, and tells of it.
		since := h.send("GET", attachments+"/changes", "").want(200).answer()["meta"].(map[string]any)["next_cursor"].(string)
		h.send("DELETE", partner+"?dry_run=true", "").want(200)
		h.send("GET", path, "").want(200)
		h.send("DELETE", partner, "").want(200)
		h.send("GET", path, "").want(404)
		h.send("GET", lie, "").want(200)
		gone := h.send("GET", attachments+"/changes?since="+since, "").want(200).list()
		if len(gone) != 2 || gone[0].(map[string]any)["action"] != "deleted" {
			h.Errorf("changes: %v", gone)
		}
	})
}

// Whoever may read a record reads what is attached to it; whoever may write the
// record changes that.
func TestAttachmentsFollowTheirRecords(t *testing.T) {
	onBothStoresWith(t, withDemo, func(h *house) {
		manager, sales, second, portal, nina := h.as("demo-manager"), h.as("demo-sales"), h.as("demo-company2"), h.as("demo-portal"), h.as("demo-user")
		everybody := map[string][]string{"manager": manager, "sales": sales, "second": second, "portal": portal, "nina": nina, "admin": nil}
		paths := map[string]string{}
		on := func(who []string, name, model string, id int, more string) {
			h.Helper()
			paths[name] = h.attach(who, fmt.Sprintf(`"name":"%s","datas":"%s","res_model":"%s","res_id":%d%s`, name,
				base64.StdEncoding.EncodeToString([]byte(name)), model, id, more))
		}
		on(sales, "joels", "sale.order", h.first(sales, "sale.order", "[['user_id.login','=','demo-sales']]"), "")
		on(manager, "maras", "sale.order", h.first(manager, "sale.order", "[['user_id.login','=','demo-manager']]"), "")
		on(second, "carlas", "sale.order", h.first(second, "sale.order", "[]"), "")
		on(manager, "librarys", "sale.order", h.first(portal, "sale.order", "[]"), "")
		on(nil, "product", "product.template", h.first(nil, "product.template", "[]"), "")
		on(nil, "settings", "ir.config_parameter", h.first(nil, "ir.config_parameter", "[]"), "")
		on(nil, "published", "ir.config_parameter", h.first(nil, "ir.config_parameter", "[]"), `,"public":true`)
		paths["loose"] = h.attach(nina, `"name":"loose","datas":"bG9vc2U="`)
		paths["draft"] = h.attach(sales, `"name":"draft","datas":"ZHJhZnQ=","res_model":"sale.order"`)

		sees := map[string]string{
			"admin":   "carlas draft joels librarys loose maras product published settings",
			"manager": "joels librarys maras product published",
			"sales":   "draft joels librarys product published",
			"second":  "carlas product published",
			"portal":  "librarys published",
			"nina":    "loose product published",
		}
		all := slices.Sorted(func(yield func(string) bool) {
			for name := range paths {
				if !yield(name) {
					return
				}
			}
		})
		for who, headers := range everybody {
			if got := h.names(headers, "[]"); got != sees[who] {
				h.Errorf("%s finds %q, want %q", who, got, sees[who])
			}
			counted := h.send("GET", attachments+"/aggregate?aggregates=__count", "", headers...).want(200)
			if n := len(strings.Fields(sees[who])); !strings.Contains(counted.text, fmt.Sprintf(`"__count":%d`, n)) {
				h.Errorf("%s counts %s, want %d", who, counted.text, n)
			}
			for _, name := range all {
				status := 403
				if slices.Contains(strings.Fields(sees[who]), name) {
					status = 200
				}
				for _, suffix := range []string{"", "/datas"} {
					if got := h.send("GET", paths[name]+suffix, "", headers...); got.status != status {
						h.Errorf("%s reads %s%s: %d, want %d", who, name, suffix, got.status, status)
					}
				}
			}
			if headers == nil {
				continue
			}
			native := h.native("/json/2/ir.attachment/search_read", `{"domain":[],"fields":["name"],"order":"name"}`, headers).want(200)
			if n := strings.Count(native.text, `"name"`); n != len(strings.Fields(sees[who])) {
				h.Errorf("%s finds natively %s", who, native.text)
			}
			h.native("/json/2/ir.attachment/read", `{"ids":[`+idIn(paths["settings"])+`],"fields":["datas"]}`, headers).want(403)
			h.send("POST", paths["settings"]+"/copy", "", headers...).want(403)
		}
		if named := h.send("POST", attachments+"/name_search", `{"name":"a"}`, portal...).want(200).list(); len(named) != 1 {
			h.Errorf("the portal finds by name %v", named)
		}

		// Changes.
		since := h.send("GET", attachments+"/changes", "", sales...).want(200).answer()["meta"].(map[string]any)["next_cursor"].(string)
		for _, test := range []struct {
			who    string
			name   string
			status int
		}{
			{"sales", "joels", 200},
			{"sales", "draft", 200},
			{"sales", "maras", 403},
			{"sales", "product", 403},
			{"sales", "published", 403},
			{"manager", "joels", 200},
			{"manager", "maras", 200},
			{"manager", "draft", 403},
			{"manager", "carlas", 403},
			{"manager", "product", 403},
			{"second", "joels", 403},
			{"second", "carlas", 200},
			{"portal", "librarys", 403},
			{"portal", "published", 403},
			{"nina", "loose", 200},
			{"nina", "product", 403},
			{"admin", "loose", 200},
			{"admin", "draft", 200},
			{"admin", "settings", 200},
		} {
			headers := everybody[test.who]
			h.send("PATCH", paths[test.name], `{"description":"by `+test.who+`"}`, headers...).wants(test.status, test.who, test.name)
			h.send("PUT", paths[test.name]+"/datas", "by "+test.who, headers...).wants(test.status, test.who, test.name)
			h.native("/json/2/ir.attachment/write", `{"ids":[`+idIn(paths[test.name])+`],"vals":{"name":"`+test.name+`"}}`, headers).wants(test.status, test.who, test.name)
			h.send("DELETE", paths[test.name]+"?dry_run=true", "", headers...).wants(test.status, test.who, test.name)
		}
		if told := h.send("GET", attachments+"/changes?since="+since, "", sales...).want(200).list(); len(told) != 2 {
			h.Errorf("sales hears of %v", told)
		}
		h.send("PATCH", attachments+"?domain=[['id','>',0]]", `{"description":"mine"}`, nina...).want(403)
		h.send("PATCH", attachments+"?domain=[['name','in',['loose','maras']]]", `{"description":"mine"}`, nina...).want(200)
		h.send("DELETE", attachments+"?domain=[['id','>',0]]", "", portal...).want(403)

		// Nothing is attached to, or moved to, what one may not write.
		maras, product := fmt.Sprint(h.first(manager, "sale.order", "[['user_id.login','=','demo-manager']]")), fmt.Sprint(h.first(nil, "product.template", "[]"))
		file := `"name":"x","datas":"eA=="`
		h.send("POST", attachments, `{`+file+`,"res_model":"sale.order","res_id":`+maras+`}`, sales...).want(403)
		h.send("POST", attachments, `{`+file+`,"res_model":"product.template","res_id":`+product+`}`, sales...).want(403)
		h.send("POST", attachments, `{`+file+`,"res_model":"sale.order","res_id":999999}`, manager...).want(403)
		h.send("POST", attachments, `{`+file+`,"res_model":"x_gone","res_id":1}`).want(403)
		h.send("POST", attachments, `{`+file+`,"res_model":"gateway.key","res_id":1}`).want(403)
		h.send("POST", attachments, `{`+file+`,"res_model":"ir.attachment","res_id":`+idIn(paths["joels"])+`}`, sales...).want(403)
		h.send("POST", attachments, `{`+file+`}`, portal...).want(403)
		h.send("PATCH", paths["joels"], `{"res_id":`+maras+`}`, sales...).want(403)
		h.send("PATCH", paths["joels"], `{"res_model":"product.template","res_id":`+product+`}`, sales...).want(403)
		h.send("PATCH", paths["loose"], `{"res_model":"sale.order","res_id":`+maras+`}`, nina...).want(403)
		h.send("PATCH", paths["joels"], `{"url":"/web/login"}`, sales...).want(422)
		h.attach(nina, file+`,"res_model":"res.users","res_id":`+fmt.Sprint(h.first(nina, "res.users", "[['login','=','demo-user']]")))

		// Rights follow the record wherever it goes.
		h.send("PATCH", "/api/v1/sale.order/"+maras, `{"user_id":`+fmt.Sprint(h.first(nil, "res.users", "[['login','=','demo-sales']]"))+`}`).want(200)
		h.send("GET", paths["maras"]+"/datas", "", sales...).want(200)
		h.send("PATCH", paths["loose"], `{"public":true}`, nina...).want(200)
		h.send("GET", paths["loose"]+"/datas", "", portal...).want(200)
		if token := h.send("GET", paths["loose"], "", portal...).want(200).data(); token["access_token"] != nil {
			h.Error("the portal reads access tokens")
		}
		h.send("GET", paths["loose"]+"?fields=access_token", "", portal...).want(403)
		if name := h.send("GET", paths["published"]+"?fields=res_name", "", portal...).want(200).data()["res_name"]; name != nil {
			h.Errorf("the portal reads the name %v of what it may not read", name)
		}
	})
}

// native asks in Odoo's own protocol.
func (h *house) native(path, body string, who []string) said {
	h.Helper()
	return h.send("POST", path, body, append([]string{"Content-Type", "application/json"}, who...)...)
}

// idIn is the id at the end of a path.
func idIn(path string) string { return path[strings.LastIndex(path, "/")+1:] }

// wants is want for one of many.
func (s said) wants(status int, who, what string) {
	s.t.Helper()
	if s.status != status {
		s.t.Errorf("%s on %s: status %d, want %d: %s", who, what, s.status, status, s.text)
	}
}
