package webhook

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"syscall"

	"gatehouse/internal/fault"
	"gatehouse/internal/iprange"
)

// Guard decides which addresses webhooks may reach: those of the public
// internet, and what an operator allows.
type Guard struct{ Allow []netip.Prefix }

// errForbidden is why a call is not made.
var errForbidden = errors.New("the address is not public; allow its network in GATEHOUSE_WEBHOOK_ALLOW_NETWORKS if it is meant")

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, text := range list {
		out[i] = netip.MustParsePrefix(text)
	}
	return out
}

// special4 are the IPv4 networks that are not of the public internet (RFC 6890
// and its registry).
func special4() []netip.Prefix {
	return prefixes("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
		"192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
		"203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4")
}

// special6 are those inside 2000::/3, outside of which nothing is public.
func special6() []netip.Prefix {
	return prefixes("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
}

// nat64 leads to the IPv4 address in its last 32 bits.
func nat64() netip.Prefix { return netip.MustParsePrefix("64:ff9b::/96") }

// Permits says whether a call to an address may be made.
func (g Guard) Permits(ip netip.Addr) bool {
	ip = ip.WithZone("").Unmap()
	switch {
	case !ip.IsValid():
		return false
	case iprange.Contains(g.Allow, ip):
		return true
	case ip.Is4():
		return !iprange.Contains(special4(), ip)
	case nat64().Contains(ip):
		b := ip.As16()
		return g.Permits(netip.AddrFrom4([4]byte(b[12:])))
	}
	return netip.MustParsePrefix("2000::/3").Contains(ip) && !iprange.Contains(special6(), ip)
}

// control is net.Dialer's Control: it sees the address that is really dialled,
// whatever a name resolved to before.
func (g Guard) control(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !g.Permits(to.Addr()) {
		return errForbidden
	}
	return nil
}

// maxURL bounds URLs.
const maxURL = 2048

// CheckURL looks at the URL of a webhook when it is saved. Names are looked up
// only when they are called: what they lead to changes. The error is a BadRequest.
func (g Guard) CheckURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return fault.New(fault.BadRequest, "The URL cannot be read; it looks like https://example.com/hook")
	case len(text) > maxURL:
		return fault.Newf(fault.BadRequest, "The URL is longer than %d characters", maxURL)
	case u.Scheme != "http" && u.Scheme != "https":
		return fault.New(fault.BadRequest, "The URL must begin with https:// or http://")
	case u.Hostname() == "":
		return fault.New(fault.BadRequest, "The URL has no host; it looks like https://example.com/hook")
	case u.User != nil:
		return fault.New(fault.BadRequest, "The URL must not hold a user or password; put them into headers")
	case u.Fragment != "":
		return fault.New(fault.BadRequest, "The URL must not have a fragment (#): it is never sent")
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	loopback := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	if ip, err := netip.ParseAddr(host); err == nil && !g.Permits(ip) ||
		(host == "localhost" || strings.HasSuffix(host, ".localhost")) && !g.Permits(loopback) {
		return fault.Newf(fault.BadRequest, "Webhooks must not call %s: %s", host, errForbidden)
	}
	return nil
}
