package app

import (
	"fmt"
	"strings"
	"testing"

	"gatehouse/internal/identity"
)

const png = "\x89PNG\r\n\x1a\n rest of a picture"

func TestFiles(t *testing.T) {
	onBothStores(t, func(h *house) {
		model := h.send("GET", "/api/v1/ir.model?fields=id&domain=[['model','=','res.partner']]", "").want(200).list()[0].(map[string]any)["id"]
		id := fmt.Sprint(model)
		for _, field := range []string{`"name":"x_photo","ttype":"binary"`, `"name":"x_photo_filename","ttype":"char"`} {
			h.send("POST", "/api/v1/ir.model.fields", `{"field_description":"Photo","model_id":`+id+`,`+field+`}`).want(201)
		}
		path := h.partner("Pictured")
		file := path + "/x_photo"
		h.send("GET", file, "").want(404)
		h.send("PUT", file, png).want(200)
		got := h.send("GET", file, "").want(200)
		if got.text != png || got.header.Get("Content-Type") != "image/png" || got.header.Get("X-Content-Type-Options") != "nosniff" ||
			!strings.Contains(got.header.Get("Content-Security-Policy"), "sandbox") || !strings.HasPrefix(got.header.Get("Content-Disposition"), "attachment; filename=x_photo-") {
			h.Errorf("%q %v", got.text, got.header)
		}
		tag := got.header.Get("ETag")
		h.send("GET", file, "", "If-None-Match", tag).want(304)
		h.send("HEAD", file, "").want(200)
		if part := h.send("GET", file, "", "Range", "bytes=1-3").want(206); part.text != "PNG" || part.header.Get("Content-Length") != "3" {
			h.Errorf("a part: %q %v", part.text, part.header)
		}
		if whole := h.send("GET", file, "", "Range", "bytes=1-3", "If-Range", `"other"`).want(200); whole.text != png {
			h.Errorf("another version's part: %q", whole.text)
		}
		if whole := h.send("GET", file, "", "Range", "bytes=9999-").want(200); whole.text != png {
			h.Errorf("no such part: %q", whole.text)
		}
		h.send("GET", file, "", "If-None-Match", "nonsense").want(400)
		h.send("PATCH", path, `{"x_photo_filename":"Foto \"é\".png"}`).want(200)
		h.send("PUT", file, png, "If-Match", tag).want(412)
		h.send("PUT", file, "<script>alert(1)</script>", "Content-Type", "text/html").want(200)
		got = h.send("GET", file, "").want(200)
		if got.header.Get("Content-Type") != "application/octet-stream" || !strings.Contains(got.header.Get("Content-Disposition"), "filename*=utf-8''Foto%20") {
			h.Errorf("%v", got.header)
		}
		h.send("PUT", file+"?dry_run=true", "x").want(200)
		if again := h.send("GET", file, ""); again.text != got.text {
			h.Errorf("a dry run left %q", again.text)
		}
		h.send("PUT", file, "").want(400)
		h.send("PUT", file, strings.Repeat("x", 33<<20)).want(413)
		for _, bad := range []string{path + "/name", path + "/nonsense", path + "/a.b"} {
			h.send("GET", bad, "").want(404)
			h.send("PUT", bad, "x").want(404)
		}
		h.send("GET", "/api/v1/res.partner/999999/x_photo", "").want(404)
		h.send("POST", "/api/v1/batch", `{"operations":[{"method":"GET","path":"`+file+`"}]}`).want(400)
		h.send("POST", "/api/v1/batch", `{"operations":[{"method":"PUT","path":"`+file+`","body":"x"}]}`).want(400)
		key, _, err := h.app.CreateKey(h.Context(), identity.KeySpec{UserID: 2, Name: "reader", Scopes: "res.partner:read"})
		if err != nil {
			h.Fatal(err)
		}
		h.send("GET", file, "", "X-API-Key", key).want(200)
		h.send("PUT", file, png, "X-API-Key", key).want(403)
	})
}
