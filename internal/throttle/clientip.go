package throttle

import (
	"net/http"
	"net/netip"
	"strings"

	"gatehouse/internal/iprange"
)

// ClientIP finds the address a request comes from. It is that of the
// connection, unless that is one of our trusted proxies: then
// X-Forwarded-For is read from right to left, over the trusted ones, to the
// first address that nobody vouches for. What stands further left was written
// by the caller himself. An entry that is no address ends the walk, and the
// last proxy is the answer. IPv4 addresses mapped into IPv6 come out as IPv4,
// without zones. The zero Addr means that the connection has no address
// (a Unix socket, for one).
func ClientIP(r *http.Request, trusted []netip.Prefix) netip.Addr {
	client := parseHop(r.RemoteAddr)
	if len(trusted) == 0 {
		return client
	}
	lines := r.Header["X-Forwarded-For"]
	for i := len(lines) - 1; i >= 0; i-- {
		rest := lines[i]
		for more := true; more; {
			if !iprange.Contains(trusted, client) {
				return client
			}
			var hop string
			if at := strings.LastIndexByte(rest, ','); at >= 0 {
				rest, hop = rest[:at], rest[at+1:]
			} else {
				hop, more = rest, false
			}
			if hop = strings.TrimSpace(hop); hop == "" {
				continue
			}
			next := parseHop(hop)
			if !next.IsValid() {
				return client
			}
			client = next
		}
	}
	return client
}

// Secure says whether a request came by TLS: to us, or to a trusted proxy that
// says so in X-Forwarded-Proto.
func Secure(r *http.Request, trusted []netip.Prefix) bool {
	return r.TLS != nil || iprange.Contains(trusted, parseHop(r.RemoteAddr)) &&
		strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

// parseHop reads an address as Go's server and the usual proxies write it:
// alone or with a port, IPv6 with or without brackets. It looks at the form
// first: to try one after the other would allocate an error for each.
func parseHop(text string) netip.Addr {
	if len(text) > maxHop {
		return netip.Addr{}
	}
	host := text
	colon := strings.LastIndexByte(text, ':')
	if inner, ok := strings.CutPrefix(text, "["); ok {
		end := strings.IndexByte(inner, ']')
		if end < 0 {
			return netip.Addr{}
		}
		host = inner[:end]
		if port := inner[end+1:]; port != "" && (port[0] != ':' || !isPort(port[1:])) || strings.IndexByte(host, ':') < 0 {
			return netip.Addr{}
		}
	} else if colon >= 0 && strings.IndexByte(text, ':') == colon { // IPv4 and a port
		if host = text[:colon]; !isPort(text[colon+1:]) {
			return netip.Addr{}
		}
	}
	if host == "" || host[0] != ':' && !isHex(host[0]) { // "unknown", "_hidden": no error is made for them
		return netip.Addr{}
	}
	addr, _ := netip.ParseAddr(host) // the zero Addr for what is none
	return addr.Unmap().WithZone("")
}

// maxHop is more than any address with zone and port has.
const maxHop = 64

func isPort(text string) bool {
	n := 0
	for i := range len(text) {
		if n = n*10 + int(text[i]-'0'); text[i] < '0' || text[i] > '9' || n > 65535 {
			return false
		}
	}
	return text != ""
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
