// Package iprange reads lists of IP addresses and CIDR ranges, as allow-lists
// and trusted proxies hold them, and looks addresses up in them. It decides
// nothing else, so that every package that restricts addresses can use it.
package iprange

import (
	"fmt"
	"net/netip"
	"strings"

	"gatehouse/internal/fault"
)

// MaxEntries is how many ranges a list may have. Lists are walked for every
// request; somebody with more than this wants fewer, larger ranges.
const MaxEntries = 1000

// maxText bounds the text of a list, in bytes.
const maxText = 64 << 10

// ParseAllowList reads addresses and CIDR ranges, IPv4 or IPv6, separated by
// newlines or commas. An empty text is an empty list. A range may be written
// with host bits (10.1.2.3/8 is 10.0.0.0/8), and an IPv4 address mapped into
// IPv6 stands for the IPv4 one. The error is a fault.BadRequest that names the
// line (from 1) and the entry that is wrong.
func ParseAllowList(text string) ([]netip.Prefix, error) {
	if len(text) > maxText {
		return nil, fault.Newf(fault.BadRequest, "The list of addresses is longer than %d bytes", maxText)
	}
	var list []netip.Prefix
	number := 0
	for line := range strings.Lines(text) {
		number++
		for entry := range strings.SplitSeq(line, ",") {
			entry = strings.TrimSpace(entry)
			if entry == "" {
				continue
			}
			prefix, err := parseEntry(entry)
			if err != nil {
				return nil, fault.Newf(fault.BadRequest, "Line %d: %s", number, err).Because(err)
			}
			if list = append(list, prefix); len(list) > MaxEntries {
				return nil, fault.Newf(fault.BadRequest, "Line %d: a list has at most %d addresses or ranges", number, MaxEntries)
			}
		}
	}
	return list, nil
}

// Allowed says whether a list lets an address through. An empty list lets all
// through, also an address that is not known (the zero Addr); any other list
// lets only through what it contains.
func Allowed(list []netip.Prefix, addr netip.Addr) bool {
	return len(list) == 0 || Contains(list, addr)
}

// Contains says whether one of the ranges holds the address. IPv4 addresses
// mapped into IPv6 are taken for the IPv4 ones.
func Contains(list []netip.Prefix, addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	for _, prefix := range list {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// parseEntry reads one address or range.
func parseEntry(entry string) (netip.Prefix, error) {
	if len(entry) > 64 {
		return netip.Prefix{}, fmt.Errorf("%.64q… is not an IP address or CIDR range", entry)
	}
	if !strings.Contains(entry, "/") {
		addr, err := netip.ParseAddr(entry)
		if err != nil || addr.Zone() != "" {
			return netip.Prefix{}, fmt.Errorf("%q is not an IP address or CIDR range, like 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32", entry)
		}
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(entry)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is not a CIDR range, like 10.0.0.0/8 or 2001:db8::/32", entry)
	}
	if addr := prefix.Addr(); addr.Is4In6() {
		const mapped = 96 // bits of ::ffff:0:0
		if prefix.Bits() < mapped {
			return netip.Prefix{}, fmt.Errorf("%q mixes IPv4 and IPv6: write the IPv4 range", entry)
		}
		prefix = netip.PrefixFrom(addr.Unmap(), prefix.Bits()-mapped)
	}
	return prefix.Masked(), nil
}
