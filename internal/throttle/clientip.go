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
// alone or with a port, IPv6 with or without brackets.
func parseHop(text string) netip.Addr {
	if len(text) > 64 {
		return netip.Addr{}
	}
	addr, err := netip.ParseAddr(text)
	if err != nil {
		if withPort, err := netip.ParseAddrPort(text); err == nil {
			addr = withPort.Addr()
		} else if inner, ok := strings.CutPrefix(text, "["); ok {
			addr, _ = netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		}
	}
	return addr.Unmap().WithZone("")
}
