package app

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"
)

// form writes a form of fields (names and values in turn) and files.
func form(fields []string, files ...string) (body, kind string) {
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	for i := 0; i < len(fields); i += 2 {
		_ = w.WriteField(fields[i], fields[i+1])
	}
	for i, file := range files {
		part, _ := w.CreateFormFile("file", fmt.Sprintf("file%d.txt", i+1))
		_, _ = part.Write([]byte(file))
	}
	_ = w.Close()
	return out.String(), w.FormDataContentType()
}

func TestUploads(t *testing.T) {
	onBothStores(t, func(h *house) {
		upload := func(headers []string, fields []string, files ...string) said {
			h.Helper()
			body, kind := form(fields, files...)
			return h.send("POST", attachments+"/upload?fields=name,res_id,public,file_size,mimetype", body, append([]string{"Content-Type", kind}, headers...)...)
		}
		partner := h.partner("With a form")
		id := idIn(partner)
		one := upload(nil, []string{"res_model", "res.partner", "res_id", id, "public", "true", "description", ""}, "hello").want(201)
		is := one.data()
		if is["name"] != "file1.txt" || is["public"] != true || fmt.Sprint(is["res_id"]) != id || is["file_size"] != 5.0 || is["mimetype"] != "text/plain" {
			h.Error(is)
		}
		if got := h.send("GET", one.header.Get("Location")+"/datas", "").want(200); got.text != "hello" || !strings.Contains(got.header.Get("Content-Disposition"), "file1.txt") {
			h.Errorf("%q %v", got.text, got.header)
		}
		if two := upload(nil, nil, "a", "b").want(201).list(); len(two) != 2 || two[1].(map[string]any)["name"] != "file2.txt" {
			h.Error(two)
		}
		again := []string{"Idempotency-Key", "form-1"}
		first, second := upload(again, []string{"name", "once.txt"}, "c").want(201), upload(again, []string{"name", "once.txt"}, "c").want(201)
		if first.text != second.text || h.number("ir.attachment", "[['name','=','once.txt']]") != 1 {
			h.Errorf("%s %s", first.text, second.text)
		}
		upload(again, []string{"name", "once.txt"}, "d").want(422)
		upload(nil, []string{"name", "nothing"}).want(400)
		upload(nil, []string{"name", "a", "name", "b"}, "x").want(400)
		upload(nil, []string{"nonsense", "a"}, "x").want(400)
		upload(nil, []string{"res_id", "seven"}, "x").want(400)
		upload(nil, nil, strings.Repeat("x", 33<<20)).want(413)
		h.send("POST", attachments+"/upload", "x", "Content-Type", "text/plain").want(415)
		h.send("POST", attachments+"/upload", "--b\r\nnonsense", "Content-Type", "multipart/form-data; boundary=b").want(400)
		h.send("POST", attachments+"/upload", "{}").want(415)
		h.send("POST", "/api/v1/batch", `{"operations":[{"method":"POST","path":"`+attachments+`/upload","body":{}}]}`).want(400)
	})
}

// The file in a binary field is an attachment of its record, which searches
// leave out unless they ask for fields.
func TestFilesOfFields(t *testing.T) {
	onBothStoresWith(t, withDemo, func(h *house) {
		sales, nina, portal := h.as("demo-sales"), h.as("demo-user"), h.as("demo-portal")
		modelID := func(model string) string { return fmt.Sprint(h.first(nil, "ir.model", "[['model','=','"+model+"']]")) }
		field := func(model, values string) string {
			h.Helper()
			return h.send("POST", "/api/v1/ir.model.fields", `{"model_id":`+modelID(model)+`,"field_description":"F",`+values+`}`).want(201).header.Get("Location")
		}
		column := field("res.partner", `"name":"x_photo","ttype":"binary"`)
		field("sale.order.line", `"name":"x_drawing","ttype":"binary"`)
		order := fmt.Sprint(h.first(sales, "sale.order", "[['user_id.login','=','demo-sales'],['state','=','draft']]"))
		line := fmt.Sprint(h.first(sales, "sale.order.line", "[['order_id','=',"+order+"]]"))
		partner := h.partner("With a field")
		h.send("PATCH", partner, `{"x_photo":"Zmlyc3Q="}`).want(200)
		h.send("PUT", partner+"/x_photo", "second").want(200)
		h.send("PUT", "/api/v1/sale.order.line/"+line+"/x_drawing", "drawn", sales...).want(200)
		h.attach(sales, `"name":"note","res_model":"sale.order.line","res_id":`+line)

		files := func(who []string, domain string) string { h.Helper(); return h.names(who, domain) }
		for domain, want := range map[string]string{
			"[]":                         "note",
			"[['res_field','!=',False]]": "x_drawing x_photo",
			"[['id','>',0]]":             "note x_drawing x_photo",
			"[['res_field','=','x_photo'],['res_id','='," + idIn(partner) + "]]": "x_photo",
		} {
			if got := files(nil, domain); got != want {
				h.Errorf("%s finds %q, want %q", domain, got, want)
			}
		}
		if got := files(nina, "[['res_field','!=',False]]"); got != "x_photo" {
			h.Errorf("nina finds %q", got)
		}
		if got := files(portal, "[['id','>',0]]"); got != "" {
			h.Errorf("the portal finds %q", got)
		}
		photo := fmt.Sprint(h.first(nil, "ir.attachment", "[['res_field','=','x_photo']]"))
		if got := h.send("GET", attachments+"/"+photo+"/datas", "", nina...).want(200); got.text != "second" {
			h.Errorf("%q", got.text)
		}
		h.send("PUT", attachments+"/"+photo+"/datas", "third", nina...).want(403)
		h.send("PUT", attachments+"/"+photo+"/datas", "third").want(200)
		since := time.Now().UTC().Add(time.Hour).Format(http.TimeFormat)
		if got := h.send("GET", partner+"/x_photo", "", "If-Modified-Since", since).want(200); got.text != "third" {
			h.Errorf("%q", got.text)
		}
		if n := h.number("res.partner", "[['x_photo','!=',False]]"); n != 1 {
			h.Errorf("%d partners with photos", n)
		}
		copied := partner[:strings.LastIndex(partner, "/")+1] + fmt.Sprint(int(h.send("POST", partner+"/copy", "").want(200).list()[0].(float64)))
		if got := h.send("GET", copied+"/x_photo", "").want(200); got.text != "third" {
			h.Errorf("a copy of %q", got.text)
		}
		h.send("PATCH", partner, `{"x_photo":null}`).want(200)
		h.send("GET", partner+"/x_photo", "").want(404)
		h.send("GET", attachments+"/"+photo, "").want(404)

		// A related field shows the file, a stored one keeps a copy.
		related := []string{
			field("res.partner", `"name":"x_shown","ttype":"binary","related":"parent_id.x_photo","store":false`),
			field("res.partner", `"name":"x_kept","ttype":"binary","related":"parent_id.x_photo","store":true`),
		}
		child := h.send("POST", "/api/v1/res.partner", `{"name":"Child","parent_id":`+idIn(copied)+`}`).want(201).header.Get("Location")
		for range 2 {
			want := h.send("GET", copied+"/x_photo", "").want(200).text
			for _, name := range []string{"x_shown", "x_kept"} {
				if got := h.send("GET", child+"/"+name, ""); got.text != want {
					h.Errorf("%s is %q, want %q", name, got.text, want)
				}
			}
			h.send("PUT", copied+"/x_photo", "fourth").want(200)
		}
		for _, path := range related {
			h.send("DELETE", path, "").want(200)
		}

		// With an order go its lines, and what is attached to them; with a field its files.
		h.send("POST", "/api/v1/sale.order/"+order+"/action_cancel", "", sales...).want(200)
		h.send("DELETE", "/api/v1/sale.order/"+order, "").want(200)
		if got := files(nil, "[['id','>',0]]"); got != "x_photo" {
			h.Errorf("left: %q", got)
		}
		h.send("DELETE", column, "").want(200)
		if got := files(nil, "[['id','>',0]]"); got != "" {
			h.Errorf("left: %q", got)
		}

		made := h.send("POST", "/api/v1/ir.model", `{"name":"Papers","model":"x_papers"}`).want(201).header.Get("Location")
		field("x_papers", `"name":"x_scan","ttype":"binary","required":true`)
		h.send("POST", "/api/v1/x_papers", `{"x_name":"without"}`).want(400)
		paper := h.send("POST", "/api/v1/x_papers", `[{"x_name":"a","x_scan":"YQ=="},{"x_name":"b","x_scan":"Yg=="}]`).want(201).list()[1].(map[string]any)["id"].(float64)
		h.send("PATCH", fmt.Sprintf("/api/v1/x_papers/%d", int(paper)), `{"x_scan":null}`).want(400)
		if got := h.send("GET", fmt.Sprintf("/api/v1/x_papers/%d/x_scan", int(paper)), "").want(200); got.text != "b" {
			h.Errorf("%q", got.text)
		}
		h.attach(nil, `"name":"on paper","res_model":"x_papers","res_id":`+fmt.Sprint(paper))
		h.send("DELETE", made, "").want(200)
		if got := files(nil, "[['id','>',0]]"); got != "" {
			h.Errorf("left: %q", got)
		}
	})
}
