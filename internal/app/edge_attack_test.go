package app

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/config"
)

func TestEdgeCredentials(t *testing.T) {
	e := newEdge(t, nil)
	const ping = "GET /api/v1/ping HTTP/1.1"
	key, bearer := "X-API-Key: "+e.key, "Authorization: Bearer "+e.token
	e.run([]expect{
		{"a key", written(ping, "", key), []int{200}, `"login":"admin"`},
		{"a token", written(ping, "", bearer), []int{200}, `"login":"admin"`},
		{"a key, oddly spelt", written(ping, "", "x-aPI-kEY:   "+e.key+"  "), []int{200}, ""},
		{"both", written(ping, "", key, bearer), []int{400}, "Both Authorization and X-API-Key"},
		{"both, the other way round", written(ping, "", bearer, key), []int{400}, "Both"},
		{"a good key and an empty token", written(ping, "", key, "Authorization:"), []int{400}, "Both"},
		{"a good token and a bad key", written(ping, "", bearer, "X-API-Key: x"), []int{400}, "Both"},
		{"two tokens", written(ping, "", bearer, bearer), []int{401}, "Malformed Authorization"},
		{"two tokens in one", written(ping, "", bearer+", Bearer "+e.token), []int{401}, "Malformed Authorization"},
		{"a bad token before a good one", written(ping, "", "Authorization: Bearer x", bearer), []int{401}, "Malformed"},
		{"two keys", written(ping, "", key, key), []int{401}, "Malformed X-API-Key"},
		{"two keys in one", written(ping, "", key+","+e.key), []int{401}, "Malformed X-API-Key"},
		{"a header with an underscore", written(ping, "", "X_API_Key: "+e.key), []int{401}, "Authentication required"},
		{"in a cookie", written(ping, "", "Cookie: access_token="+e.token), []int{401}, "Authentication required"},
		{"in the query", written("GET /api/v1/ping?access_token="+e.token+"&api_key="+e.key+" HTTP/1.1", ""), []int{401}, "Authentication required"},
		{"as the user of the URL", written("GET http://admin:secret@gatehouse.test/api/v1/ping HTTP/1.1", ""), []int{401}, ""},
		{"a folded header", written(ping, "", "X-API-Key: "+e.key[:32], " "+e.key[32:]), []int{400, 401}, ""},
		{"a space before the colon", written(ping, "", "X-API-Key : "+e.key), []int{400}, ""},
		{"a NUL in the key", written(ping, "", "X-API-Key: "+e.key[:63]+"\x00"), []int{400, 401}, ""},
		{"a trailer", "GET /api/v1/ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nTrailer: X-API-Key\r\n\r\n0\r\nX-API-Key: " + e.key + "\r\n\r\n", []int{401}, "Authentication required"},
	})
}

func TestEdgeHeaders(t *testing.T) {
	e := newEdge(t, nil)
	const ping = "GET /api/v1/ping HTTP/1.1"
	key := "X-API-Key: " + e.key
	e.run([]expect{
		{"CR alone in a value", written(ping, "", key, "X-Request-Id: a\rX-Evil: 1"), []int{200, 400}, ""},
		{"LF alone in a value", written(ping, "", key, "X-Request-Id: a\nX-Evil: 1"), []int{200, 400}, ""},
		{"CRLF, encoded", written(ping, "", key, "X-Request-Id: a%0d%0aX-Evil:%201"), []int{200}, ""},
		{"CRLF in a path", written("GET /api/v1/ping%0d%0aX-Evil:%201 HTTP/1.1", "", key), []int{404}, "not_found"},
		{"CRLF in an origin", written(ping, "", key, "Origin: http://x%0d%0aX-Evil: 1"), []int{200}, ""},
		{"header of 70 KiB", written(ping, "", key, "X-Junk: "+strings.Repeat("a", 70<<10)), []int{431}, ""},
		{"request line of 70 KiB", written("GET /api/v1/ping?"+strings.Repeat("a", 70<<10)+" HTTP/1.1", "", key), []int{431}, ""},
		{"10,000 headers", written(ping, "", append([]string{key}, many("X-Junk-%d: aaaaaaaa", 10_000)...)...), []int{431}, ""},
		{"a header without a name", written(ping, "", key, ": x"), []int{400}, ""},
		{"a header without a colon", written(ping, "", key, "nonsense"), []int{400}, ""},
		{"bytes that are no UTF-8", written(ping, "", key, "User-Agent: \xff\xfe", "X-Request-Id: \xff"), []int{200}, ""},
		{"override of the method", written(ping, "", key, "X-HTTP-Method-Override: DELETE", "X-HTTP-Method: DELETE", "X-Method-Override: DELETE"), []int{200}, "pong"},
		{"another URL for proxies", written("GET /api/v1/no.such HTTP/1.1", "", key, "X-Original-URL: /api/v1/ping", "X-Rewrite-URL: /api/v1/ping"), []int{404}, ""},
		{"spoofed address", written(ping, "", key, "X-Forwarded-For: 198.51.100.1", "X-Real-IP: 198.51.100.1", "Forwarded: for=198.51.100.1"), []int{200}, ""},
	})
	answer := e.raw(written(ping, "", key, "X-Request-Id: "+strings.Repeat("a", 129)))
	if got := answer.header.Get("X-Request-Id"); len(got) != 24 {
		t.Errorf("a long request id comes back as %q", got)
	}
	for _, id := range []string{"a b", "<script>", "a%0d%0ab", "a,b", `a"b`, "ü"} {
		if answer := e.raw(written(ping, "", key, "X-Request-Id: "+id)); answer.header.Get("X-Request-Id") == id {
			t.Errorf("the request id %q is repeated", id)
		}
	}
}

func many(format string, n int) []string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = fmt.Sprintf(format, i)
	}
	return lines
}

func TestEdgeFraming(t *testing.T) {
	e := newEdge(t, nil)
	key := "X-API-Key: " + e.key + "\r\n"
	const post = "POST /api/v1/res.partner HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
	// A second request in the body of the first must never be answered.
	const smuggled = "GET /api/v1/settings HTTP/1.1\r\nHost: x\r\n\r\n"
	chunk := fmt.Sprintf("%x\r\n%s\r\n", 1024, strings.Repeat(" ", 1024))
	e.run([]expect{
		{"two lengths", post + key + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ", []int{400}, ""},
		{"two lengths in one", post + key + "Content-Length: 2, 3\r\n\r\n{} ", []int{400}, ""},
		{"negative length", post + key + "Content-Length: -1\r\n\r\n", []int{400}, ""},
		{"signed length", post + key + "Content-Length: +2\r\n\r\n{}", []int{400}, ""},
		{"length of letters", post + key + "Content-Length: 0x2\r\n\r\n{}", []int{400}, ""},
		{"huge length", post + key + "Content-Length: 99999999999999999999\r\n\r\n", []int{400}, ""},
		{"length over the limit", post + key + "Content-Length: 5000\r\n\r\n" + strings.Repeat(" ", 5000), []int{413}, "payload_too_large"},
		// net/http goes by the chunks; the rest is thrown away with the connection.
		{"length and chunks", post + key + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, []int{400}, "the body is empty"},
		{"unknown encoding", post + key + "Transfer-Encoding: gzip\r\n\r\n", []int{400, 501}, ""},
		{"encodings after one another", post + key + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", []int{400, 501}, ""},
		{"two encodings", post + key + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", []int{400, 501}, ""},
		{"an encoding with a tab", post + key + "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", []int{400, 501}, ""},
		{"chunks over the limit", post + key + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat(chunk, 8) + "0\r\n\r\n", []int{413}, "payload_too_large"},
		{"chunks within the limit", post + key + "Transfer-Encoding: chunked\r\n\r\n" + chunk + "2\r\n{}\r\n0\r\n\r\n", []int{400}, "Missing required field: name"},
		{"a chunk of nonsense", post + key + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n", []int{400}, "could not be read"},
		{"a chunk of huge size", post + key + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n{}", []int{400}, "could not be read"},
		{"compressed", post + key + "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", []int{415}, ""},
	})
	// Of a refused framing the connection is closed, so that what follows is not
	// taken for a request.
	for _, framing := range []string{"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"} {
		text := e.all("POST /api/v1/res.partner HTTP/1.1\r\nHost: x\r\n" + key + framing + smuggled)
		if n := strings.Count(text, "HTTP/1.1 "); n != 1 {
			t.Errorf("%q: %d answers: %.500q", framing, n, text)
		}
	}
}

// all sends bytes and gives all that comes back until the server closes.
func (e *edge) all(request string) string {
	e.t.Helper()
	conn, err := net.DialTimeout("tcp", e.addr, 5*time.Second)
	if err != nil {
		e.t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(conn, request); err != nil {
		e.t.Fatal(err)
	}
	text, err := io.ReadAll(conn)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		e.t.Errorf("the connection stays open after %.200q", text)
	}
	return string(text)
}

func TestEdgeLines(t *testing.T) {
	t.Parallel() // one of them waits for the time limit of headers
	e := newEdge(t, nil)
	key := "X-API-Key: " + e.key
	line := func(first string) string { return written(first, "", key) }
	e.run([]expect{
		{"HTTP/1.0", "GET /api/v1/ping HTTP/1.0\r\n" + key + "\r\n\r\n", []int{200}, "pong"},
		{"HTTP/1.1 without a host", "GET /api/v1/ping HTTP/1.1\r\n" + key + "\r\n\r\n", []int{400}, ""},
		{"two hosts", "GET /api/v1/ping HTTP/1.1\r\nHost: a\r\nHost: b\r\n" + key + "\r\n\r\n", []int{400}, ""},
		{"a host of nonsense", "GET /api/v1/ping HTTP/1.1\r\nHost: <script>\r\n" + key + "\r\n\r\n", []int{400}, ""},
		{"an unknown host", "GET /api/v1/ping HTTP/1.1\r\nHost: evil.example:99\r\nConnection: close\r\n" + key + "\r\n\r\n", []int{200}, "pong"},
		{"HTTP/9.9", line("GET /api/v1/ping HTTP/9.9"), []int{505}, ""},
		{"no version", "GET /api/v1/ping\r\n\r\n", []int{400}, ""},
		{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", []int{400, 505, 404, 405, 501}, ""},
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", []int{400}, ""},
		{"absolute form", line("GET http://evil.example/api/v1/ping HTTP/1.1"), []int{200}, "pong"},
		{"absolute form of another scheme", line("GET file:///etc/passwd HTTP/1.1"), []int{404}, "not_found"},
		{"CONNECT", line("CONNECT evil.example:443 HTTP/1.1"), []int{404, 405}, ""},
		{"asterisk", line("OPTIONS * HTTP/1.1"), []int{200, 204, 404}, ""},
		{"lower case", line("get /api/v1/ping HTTP/1.1"), []int{405}, "method_not_allowed"},
		{"an unknown method", line("BREW /api/v1/ping HTTP/1.1"), []int{405}, "method_not_allowed"},
		{"TRACE", line("TRACE /api/v1/ping HTTP/1.1"), []int{405}, "method_not_allowed"},
		{"a method of nonsense", line("G<T /api/v1/ping HTTP/1.1"), []int{400}, ""},
		{"dots", line("GET /api/v1/../v1/ping HTTP/1.1"), []int{404}, ""},
		{"encoded dots", line("GET /api/v1/%2e%2e/%2e%2e/etc/passwd HTTP/1.1"), []int{404}, ""},
		{"encoded dots as a model", line("GET /api/v1/%2e%2e HTTP/1.1"), []int{404}, ""},
		{"encoded slash", line("GET /api/v1/res.partner%2f1 HTTP/1.1"), []int{404}, ""},
		{"twice encoded", line("GET /api/v1/%252e%252e%252fping HTTP/1.1"), []int{404}, ""},
		{"NUL", line("GET /api/v1/res.partner%00 HTTP/1.1"), []int{404}, ""},
		{"NUL in an id", line("GET /api/v1/res.partner/1%00 HTTP/1.1"), []int{400, 404}, ""},
		{"NUL in a query", line("GET /api/v1/res.partner?order=%00 HTTP/1.1"), []int{400}, ""},
		{"double slashes", line("GET //api/v1//ping HTTP/1.1"), []int{404}, ""},
		{"a slash at the end", line("GET /api/v1/ping/ HTTP/1.1"), []int{404}, ""},
		{"backslashes", line(`GET /api/v1/..\..\ping HTTP/1.1`), []int{400, 404}, ""},
		{"bytes that are no UTF-8", line("GET /api/v1/%ff%fe HTTP/1.1"), []int{404}, ""},
		{"an overlong dot", line("GET /api/v1/%c0%ae%c0%ae/ HTTP/1.1"), []int{404}, ""},
		{"a bad escape", line("GET /api/v1/%zz HTTP/1.1"), []int{400}, ""},
		{"SQL as a model", line("GET /api/v1/res.partner;drop%20table%20res_partner-- HTTP/1.1"), []int{404}, ""},
		{"SQL as an id", line("GET /api/v1/res.partner/1%20or%201=1 HTTP/1.1"), []int{400, 404}, ""},
		{"SQL as an order", line("GET /api/v1/res.partner?order=id;drop%20table%20res_partner HTTP/1.1"), []int{400}, ""},
		{"upper-case path", line("GET /API/V1/PING HTTP/1.1"), []int{404}, ""},
		{"a fragment", line("GET /api/v1/ping#/../settings HTTP/1.1"), []int{200, 400, 404}, ""},
	})
	// Strangers are told the same of all paths.
	for _, path := range []string{"/api/v1/ping", "/api/v1/no.such", "/api/v1/%2e%2e/settings", "/api/v1//", "/api/v1/gateway.block/1"} {
		if status, body := e.ask("GET", path, ""); status != 401 || body["error"].(map[string]any)["message"] != "Authentication required" {
			t.Errorf("%s: a stranger gets %d %v", path, status, body)
		}
	}
}

// A client that never ends its headers loses its connection, and nobody else
// waits for it.
func TestEdgeSlowClient(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the time limit of headers")
	}
	t.Parallel()
	e := newEdge(t, nil)
	conn, err := net.Dial("tcp", e.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	began := time.Now()
	if _, err := io.WriteString(conn, "GET /api/v1/ping HTTP/1.1\r\nHost: x\r\nX-Slow: "); err != nil {
		t.Fatal(err)
	}
	if status, _ := e.ask("GET", "/api/v1/ping", "", "X-API-Key: "+e.key); status != 200 {
		t.Errorf("others are answered %d meanwhile", status)
	}
	_ = conn.SetReadDeadline(began.Add(readHeaderTimeout + 10*time.Second))
	text, err := io.ReadAll(conn)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal("the connection is still open")
	}
	if took := time.Since(began); took < readHeaderTimeout-time.Second || strings.Contains(string(text), " 200 ") {
		t.Errorf("after %v: %q", took, text)
	}
}

// A client that announces a body and does not send it is given up when the
// request has had its time, be he known or not.
func TestEdgeSlowBody(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the time limit of bodies")
	}
	t.Parallel()
	e := newEdge(t, func(c *config.Config) { c.Server.RequestTimeout = time.Second })
	for credential, want := range map[string]int{e.key: http.StatusGatewayTimeout, strings.Repeat("x", 64): http.StatusUnauthorized} {
		t.Run(fmt.Sprint(want), func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", e.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			_, err = io.WriteString(conn, "POST /api/v1/res.partner HTTP/1.1\r\nHost: x\r\nX-API-Key: "+credential+
				"\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
			if err != nil {
				t.Fatal(err)
			}
			_ = conn.SetReadDeadline(time.Now().Add(readHeaderTimeout + 10*time.Second))
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatalf("a body that never comes holds the request: %v", err)
			}
			_ = answer.Body.Close()
			if answer.StatusCode != want {
				t.Errorf("status %d, want %d", answer.StatusCode, want)
			}
			if text, err := io.ReadAll(conn); err != nil {
				t.Errorf("the connection stays open: %q, %v", text, err)
			}
		})
	}
}

// TestEdgeBlocks: guessing ends in a block that a good credential does not
// open, behind a proxy for the guesser alone, until an administrator ends it.
func TestEdgeBlocks(t *testing.T) {
	e := newEdge(t, func(c *config.Config) {
		if err := c.Server.TrustedProxies.UnmarshalText([]byte("127.0.0.1")); err != nil {
			t.Fatal(err)
		}
	})
	if err := e.app.Settings.Set(t.Context(), map[string]any{"autoblock_violations": 5}); err != nil {
		t.Fatal(err)
	}
	const guesser, other = "X-Forwarded-For: 198.51.100.1", "X-Forwarded-For: 198.51.100.2"
	good, admin := "X-API-Key: "+e.key, "Authorization: Bearer "+e.token
	ping := func(headers ...string) int {
		status, _ := e.ask("GET", "/api/v1/ping", "", headers...)
		return status
	}
	for range 5 {
		if status := ping(guesser, "X-API-Key: "+strings.Repeat("g", 64)); status != 401 {
			t.Fatalf("a guess is answered %d", status)
		}
	}
	within(t, "the guesser is blocked", func() bool { return ping(guesser, good) == 403 })
	for range 20 { // the proxy itself never is
		ping("X-API-Key: " + strings.Repeat("g", 64))
	}
	if ping(other, good) != 200 || ping(good) != 200 {
		t.Error("others are blocked too")
	}
	var rows []any
	within(t, "the block is written down", func() bool { // it holds before it is
		_, body := e.ask("GET", "/api/v1/gateway.block?fields=address,violations,by,until", "", admin)
		rows, _ = body["data"].([]any)
		return len(rows) == 1
	})
	row, _ := rows[0].(map[string]any)
	if row["address"] != "198.51.100.1" || row["by"] != "automatic" || row["violations"] != 5.0 || row["until"] == nil {
		t.Errorf("the block: %v", row)
	}
	answer := e.raw(written("GET /api/v1/ping HTTP/1.1", "", guesser, good))
	if answer.header.Get("Retry-After") == "" || !strings.Contains(answer.body, `"type":"address_blocked"`) || !strings.Contains(answer.body, fmt.Sprint(row["until"])) {
		t.Errorf("the blocked are told %v %s", answer.header, answer.body)
	}
	path := fmt.Sprintf("/api/v1/gateway.block/%v/unblock", row["id"])
	if status, body := e.ask("POST", path, `{"note":"a mistake"}`, admin); status != 200 {
		t.Fatalf("unblock: %d %v", status, body)
	}
	within(t, "the guesser is free", func() bool { return ping(guesser, good) == 200 })
	if status, body := e.ask("POST", "/api/v1/gateway.block", `{"address":"198.51.100.0/24"}`, admin); status != 201 {
		t.Fatalf("block a network: %d %v", status, body)
	}
	within(t, "the network is blocked", func() bool { return ping(guesser, good) == 403 && ping(other, good) == 403 })
	_, body := e.ask("GET", "/api/v1/gateway.block?active_test=false", "", admin)
	if rows, _ := body["data"].([]any); len(rows) != 2 {
		t.Errorf("the history: %v", body)
	}
}

// within waits for what must be so within a second.
func within(t *testing.T, what string, ok func() bool) {
	t.Helper()
	end := time.Now().Add(time.Second)
	for !ok() {
		if time.Now().After(end) {
			t.Fatalf("not within a second: %s", what)
		}
	}
}
