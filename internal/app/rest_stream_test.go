package app

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/sqldb"
)

// got is what an answer has beside its body.
type got struct {
	StatusCode int
	Header     http.Header
}

// get reads an answer of any type.
func (g *gate) get(path, accept string, headers ...string) (got, string) {
	g.t.Helper()
	r, err := http.NewRequest(http.MethodGet, g.url+path, nil)
	if err != nil {
		g.t.Fatal(err)
	}
	r.Header.Set("Accept", accept)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		g.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return got{res.StatusCode, res.Header}, string(raw)
}

func TestStreams(t *testing.T) {
	onSources(t, func(t *testing.T, g *gate) {
		be := fmt.Sprint(int64(g.send("GET", `/api/v1/res.country?fields=id&domain=[["code","=","BE"]]`, "", g.all()...).want(200).at("data").([]any)[0].(map[string]any)["id"].(float64)))
		first := g.make("res.partner", `{"name":"=HYPERLINK(\"http://evil\")","ref":"streamed","phone":"+32 2 555","email":"a,b","country_id":`+be+`,"child_ids":[{"name":"Kid","ref":"none"}]}`)
		second := g.make("res.partner", `{"name":"Plain \"quoted\"\nline","ref":"streamed","is_company":true}`)
		list := `/api/v1/res.partner?domain=[["ref","=","streamed"]]&fields=`
		kid := int64(g.send("GET", fmt.Sprintf("/api/v1/res.partner/%d?fields=child_ids", first), "", g.all()...).at("data", "child_ids").([]any)[0].(float64))
		for fields, want := range map[string]string{
			"name,phone,email,is_company,country_id,child_ids": "id,name,phone,email,is_company,country_id,country_id.name,child_ids\r\n" +
				fmt.Sprintf(`%d,"'=HYPERLINK(""http://evil"")",+32 2 555,"a,b",false,%s,Belgium,[%d]`, first, be, kid) + "\r\n" +
				fmt.Sprintf("%d,\"Plain \"\"quoted\"\"\nline\",,,true,,,[]\r\n", second),
			"country_id.code,child_ids.name,country_id.currency_id": "id,country_id,country_id.name,country_id.code,country_id.currency_id,country_id.currency_id.name,child_ids\r\n" +
				fmt.Sprintf(`%d,%s,Belgium,BE,126,EUR,"[{""id"":%d,""name"":""Kid""}]"`, first, be, kid) + "\r\n" +
				fmt.Sprintf("%d,,,,,,[]\r\n", second),
			"country_id.name&limit=1":    "id,country_id,country_id.name\r\n" + fmt.Sprintf("%d,%s,Belgium\r\n", first, be),
			"id&limit=1&offset=1":        fmt.Sprintf("id\r\n%d\r\n", second),
			"id&order=id+desc":           fmt.Sprintf("id\r\n%d\r\n%d\r\n", second, first),
			"name&formulas=keep&limit=1": fmt.Sprintf("id,name\r\n%d,\"=HYPERLINK(\"\"http://evil\"\")\"\r\n", first),
			"write_date.x":               "",
		} {
			res, raw := g.get(list+fields, "text/csv", g.all()...)
			if want == "" {
				if res.StatusCode != http.StatusBadRequest || !strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
					t.Error(res.StatusCode, raw)
				}
				continue
			}
			if res.StatusCode != http.StatusOK || raw != want || res.Header.Get("Content-Type") != "text/csv; charset=utf-8; header=present" ||
				res.Header.Get("Content-Disposition") != `attachment; filename="res.partner.csv"` || !strings.Contains(res.Header.Get("Vary"), "Accept") {
				t.Errorf("%s: %d %v\ngot  %q\nwant %q", fields, res.StatusCode, res.Header, raw, want)
			}
		}
		res, raw := g.get(list+"name,country_id.code", "application/x-ndjson;q=0.9, text/csv;q=0.5, */*;q=0.1", g.all()...)
		lines := strings.Split(strings.TrimSuffix(raw, "\n"), "\n")
		if res.Header.Get("Content-Type") != "application/x-ndjson" || len(lines) != 2 ||
			lines[0] != fmt.Sprintf(`{"id":%d,"name":"=HYPERLINK(\"http://evil\")","country_id":{"id":%s,"name":"Belgium","code":"BE"}}`, first, be) {
			t.Error(res.Header, raw)
		}
		if _, raw := g.get(`/api/v1/res.partner?domain=[["id","=",0]]&fields=name`, "text/csv", g.all()...); raw != "id,name\r\n" {
			t.Errorf("%q", raw)
		}
		if res, raw := g.get(`/api/v1/res.partner?domain=[["id","=",0]]`, "application/x-ndjson", g.all()...); raw != "" || res.StatusCode != http.StatusOK {
			t.Errorf("%q", raw)
		}

		// Curated resources, and Gatehouse's own models.
		if _, raw := g.get("/api/v1/customers?search=HYPERLINK", "text/csv", g.all()...); !strings.HasPrefix(raw, "id,name,email,phone,street,street2,city,zip,state_id,state_id.name,country_id,country_id.name,is_company,vat,active\r\n") ||
			!strings.Contains(raw, "\n"+fmt.Sprint(first)+`,"'=HYPERLINK`) {
			t.Error(raw)
		}
		product := g.make("products", `{"name":"Desk","list_price":10}`)
		variant := int64(g.send("GET", fmt.Sprintf(`/api/v1/product.product?fields=id&domain=[["product_tmpl_id","=",%d]]`, product), "", g.all()...).at("data").([]any)[0].(map[string]any)["id"].(float64))
		g.make("orders", fmt.Sprintf(`{"partner_id":%d,"order_lines":[{"product_id":%d}]}`, second, variant))
		_, raw = g.get("/api/v1/orders", "text/csv", g.all()...)
		rows, err := csv.NewReader(strings.NewReader(raw)).ReadAll()
		if err != nil || len(rows) != 2 || !strings.Contains(strings.Join(rows[1], "|"), `[{"id":`) || len(rows[0]) != len(rows[1]) {
			t.Errorf("%v %q", err, raw)
		}
		if _, raw := g.get("/api/v1/orders", "application/x-ndjson", g.all()...); !json.Valid([]byte(raw)) || strings.Count(raw, "\n") != 1 {
			t.Error(raw)
		}
		if _, raw := g.get("/api/v1/gateway.key?fields=name", "text/csv", g.all()...); !strings.HasPrefix(raw, "id,name\r\n") {
			t.Error(raw)
		}
		if res, _ := g.get("/api/v1/gateway.key?fields=name", "text/csv", g.key(2, "read")...); res.StatusCode != http.StatusForbidden {
			t.Error(res.StatusCode)
		}
	})
}

// TestStreamIsWhole reads more than a page may hold, whatever the order, while
// others write.
func TestStreamIsWhole(t *testing.T) {
	onSources(t, func(t *testing.T, g *gate) {
		const n = 3000
		fill(t, g, n)
		for _, query := range []string{"order=name", "", "order=email,name+desc", "fields=country_id.code,name", "active_test=false"} {
			_, raw := g.get(`/api/v1/res.partner?domain=[["ref","=","filled"]]&`+query, "application/x-ndjson", g.all()...)
			seen := map[float64]bool{}
			lines := bufio.NewScanner(strings.NewReader(raw))
			lines.Buffer(nil, 1<<20)
			for lines.Scan() {
				var row struct{ ID float64 }
				if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
					t.Fatal(err, lines.Text())
				}
				seen[row.ID] = true
			}
			if len(seen) != n || strings.Count(raw, "\n") != n {
				t.Errorf("%s: %d of %d records in %d lines", query, len(seen), n, strings.Count(raw, "\n"))
			}
			if _, raw := g.get(`/api/v1/res.partner?domain=[["ref","=","filled"]]&fields=name&limit=1234&`+strings.TrimPrefix(query, "fields=country_id.code,name"), "text/csv", g.all()...); strings.Count(raw, "\n") != 1235 {
				t.Errorf("%s: %d lines", query, strings.Count(raw, "\n"))
			}
		}
	})
}

// fill makes many partners the short way.
func fill(t *testing.T, g *gate, n int) {
	t.Helper()
	id := g.make("res.partner", `{"name":"Filled 0","ref":"filled","email":"info@example.com","phone":"+32 2 555 01 23","city":"Ghent","street":"Long Street 12"}`)
	db := g.app.DB
	if g.odoo != nil {
		db = g.odoo.app.DB
	}
	err := db.Write(context.Background(), func(tx sqldb.Tx) error {
		var columns []string
		if err := tx.Query(context.Background(), `select f.name from ir_model_fields f where f.model = 'res.partner' and f.store and f.name in
			('ref','email','phone','city','street','active','company_id','is_company','lang','tz','color','type','complete_name')`, nil, func(r sqldb.Row) error {
			columns = append(columns, r.Text(0))
			return nil
		}); err != nil {
			return err
		}
		list := strings.Join(columns, ", ")
		for at := 1; at < n; {
			step := min(at, n-at)
			_, err := tx.Exec(context.Background(), `insert into res_partner (name, create_date, write_date, `+list+`)
				select name || ' ' || cast(id + $2 as text), create_date, write_date, `+list+` from res_partner where ref = 'filled' order by id limit $1`, int64(step), int64(at))
			if err != nil {
				return err
			}
			at += step
		}
		return nil
	})
	if err != nil {
		t.Fatal(id, err)
	}
}

// TestStreamMemory measures what a large stream costs; GATEHOUSE_STREAM_ROWS
// says how large.
func TestStreamMemory(t *testing.T) {
	rows, _ := strconv.Atoi(os.Getenv("GATEHOUSE_STREAM_ROWS"))
	if rows == 0 {
		t.Skip("GATEHOUSE_STREAM_ROWS is not set")
	}
	onSources(t, func(t *testing.T, g *gate) {
		fill(t, g, rows)
		for _, accept := range []string{"text/csv", "application/x-ndjson"} {
			start := time.Now()
			r, _ := http.NewRequest(http.MethodGet, g.url+`/api/v1/res.partner?domain=[["ref","=","filled"]]&fields=name,email,phone,city,country_id`, nil)
			r.Header.Set("Accept", accept)
			r.Header.Set("Authorization", "Bearer "+g.admin)
			res, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			lines, bytes, buf := 0, 0, make([]byte, 64<<10)
			for err = nil; err == nil; {
				var n int
				n, err = res.Body.Read(buf)
				bytes += n
				lines += strings.Count(string(buf[:n]), "\n")
			}
			_ = res.Body.Close()
			status, _ := os.ReadFile("/proc/self/status")
			_, peak, _ := strings.Cut(string(status), "VmHWM:")
			peak, _, _ = strings.Cut(strings.TrimSpace(peak), "\n")
			t.Logf("%s: %d lines, %d MB in %s; peak resident %s (%v)", accept, lines, bytes>>20, time.Since(start).Round(time.Millisecond), peak, err)
			if !errors.Is(err, io.EOF) || lines < rows {
				t.Errorf("%d of %d lines: %v", lines, rows, err)
			}
		}
	})
}
