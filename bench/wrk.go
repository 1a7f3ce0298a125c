package main

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strconv"
)

// scenario is one kind of request.
type scenario struct {
	name   string
	method string
	// path may hold a Lua expression in {{ }}, computed for every request.
	path string
	body string
}

func scenarios(*server) []scenario {
	const fields = "name,email,phone,street,city,zip,is_company,country_id,ref,create_date"
	list := "/api/v1/res.partner?limit=80&fields=" + fields + "&domain=" + url.QueryEscape("[('is_company','=',True)]")
	return []scenario{
		{name: "one record by id, all fields", method: "GET", path: "/api/v1/res.partner/{{math.random(100, 9000)}}"},
		{name: "one record by id, 10 fields", method: "GET", path: "/api/v1/res.partner/{{math.random(100, 9000)}}?fields=" + fields},
		{name: "list of 80 × 10, filter, exact total", method: "GET", path: list},
		{name: "the same at random offsets", method: "GET", path: list + "&offset={{math.random(0, 4000)}}"},
		{
			name: "create", method: "POST", path: "/api/v1/res.partner",
			body: `{"name": "Bench {{counter}}", "email": "b{{counter}}@example.com", "phone": "+32 470 000000", "city": "Ghent", "is_company": true, "country_id": 20}`,
		},
	}
}

// result is what wrk measured.
type result struct {
	rate, p50, p99 string
	errors         int
}

var template = regexp.MustCompile(`\{\{(.*?)\}\}`)

// lua makes a Lua expression of a text with {{expressions}}.
func lua(text string) string {
	out, at := `""`, 0
	for _, m := range template.FindAllStringSubmatchIndex(text, -1) {
		out += fmt.Sprintf(` .. %s .. (%s)`, strconv.Quote(text[at:m[0]]), text[m[2]:m[3]])
		at = m[1]
	}
	return out + " .. " + strconv.Quote(text[at:])
}

func (sc scenario) run(o options, s *server) (result, error) {
	script := fmt.Sprintf(`
local counter, headers = 0, {["Authorization"] = "Bearer %s", ["Content-Type"] = "application/json"}
request = function()
  counter = counter + 1
  return wrk.format("%s", %s, headers, %s)
end
`, s.token, sc.method, lua(sc.path), map[bool]string{true: "nil", false: lua(sc.body)}[sc.body == ""])
	file, err := os.CreateTemp("", "wrk*.lua")
	if err != nil {
		return result{}, err
	}
	defer os.Remove(file.Name())
	if _, err := file.WriteString(script); err != nil {
		return result{}, err
	}
	if err := file.Close(); err != nil {
		return result{}, err
	}
	args := func(seconds int) []string {
		return []string{
			"-t1", "-c", strconv.Itoa(o.connections), "-d", strconv.Itoa(seconds) + "s",
			"--latency", "-s", file.Name(), s.url,
		}
	}
	if out, err := exec.Command("wrk", args(1)...).CombinedOutput(); err != nil { // warm up
		return result{}, fmt.Errorf("wrk: %w: %s", err, out)
	}
	out, err := exec.Command("wrk", args(o.seconds)...).CombinedOutput()
	if err != nil {
		return result{}, fmt.Errorf("wrk: %w: %s", err, out)
	}
	return parse(string(out)), nil
}

func parse(out string) result {
	find := func(pattern string) string {
		if m := regexp.MustCompile(pattern).FindStringSubmatch(out); m != nil {
			return m[1]
		}
		return ""
	}
	r := result{rate: find(`Requests/sec:\s+([\d.]+)`), p50: find(`\n\s+50%\s+(\S+)`), p99: find(`\n\s+99%\s+(\S+)`)}
	r.errors, _ = strconv.Atoi(find(`Non-2xx or 3xx responses: (\d+)`)) // absent: none
	return r
}
