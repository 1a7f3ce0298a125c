package config

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"gatehouse/internal/iprange"
)

// Address is a host:port to listen on.
type Address string

// UnmarshalText refuses what net.Listen would.
func (a *Address) UnmarshalText(text []byte) error {
	_, port, err := net.SplitHostPort(string(text))
	if err != nil {
		return fmt.Errorf("%q is not an address like 127.0.0.1:8069", text)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q: the port must be a number from 0 to 65535", text)
	}
	*a = Address(text)
	return nil
}

// PublicURL is the address of a server, without a slash at its end.
type PublicURL string

// UnmarshalText refuses what is no http:// or https:// URL of a host and a path.
func (u *PublicURL) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*u = ""
		return nil
	}
	parsed, err := url.Parse(string(text))
	if err != nil || (parsed.Scheme != "https" && parsed.Scheme != "http") || parsed.Host == "" ||
		parsed.User != nil || strings.ContainsAny(string(text), "?# \"<>\\") {
		return errors.New("not a URL like https://api.example.com")
	}
	*u = PublicURL(strings.TrimRight(string(text), "/"))
	return nil
}

// Ratio is a number from 0 to 1, or empty.
type Ratio string

// UnmarshalText refuses what is neither.
func (r *Ratio) UnmarshalText(text []byte) error {
	if n, err := strconv.ParseFloat(string(text), 64); len(text) > 0 && (err != nil || !(n >= 0 && n <= 1)) {
		return fmt.Errorf("%q is not a number from 0 to 1", text)
	}
	*r = Ratio(text)
	return nil
}

// Value is the number; set is false where it is empty.
func (r Ratio) Value() (n float64, set bool) {
	n, err := strconv.ParseFloat(string(r), 64)
	return n, err == nil
}

// Signing is the algorithm that tokens are signed with.
type Signing string

// Algorithm is its name, "" for that of the stored key.
func (s Signing) Algorithm() string {
	if s == "stored" {
		return ""
	}
	return string(s)
}

// Networks is a list of address ranges.
type Networks []netip.Prefix

// UnmarshalText reads CIDR ranges separated by commas; a lone address is the
// range of itself.
func (n *Networks) UnmarshalText(text []byte) error {
	var all Networks
	for part := range strings.SplitSeq(string(text), ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		list, err := iprange.ParseAllowList(part) // so that IPv4 mapped into IPv6 is IPv4 here too
		if err != nil || len(list) != 1 {
			return fmt.Errorf("%q is not a network like 10.0.0.0/8 or fd00::/8", part)
		}
		all = append(all, list...)
	}
	*n = all
	return nil
}

// String is the list as UnmarshalText reads it.
func (n Networks) String() string {
	parts := make([]string, len(n))
	for i, prefix := range n {
		parts[i] = prefix.String()
	}
	return strings.Join(parts, ",")
}

// ByteSize is a number of bytes.
type ByteSize int64

// byteUnits from the largest; String uses the binary ones only.
var byteUnits = []struct {
	name   string
	bytes  int64
	binary bool
}{
	{"GiB", 1 << 30, true},
	{"MiB", 1 << 20, true},
	{"KiB", 1 << 10, true},
	{"GB", 1e9, false},
	{"MB", 1e6, false},
	{"KB", 1e3, false},
	{"B", 1, false},
}

// UnmarshalText reads a whole number of bytes, or one with a unit: 8MiB, 8 MB.
func (s *ByteSize) UnmarshalText(text []byte) error {
	number, factor := strings.TrimSpace(string(text)), int64(1)
	for _, unit := range byteUnits {
		cut := len(number) - len(unit.name)
		if cut > 0 && strings.EqualFold(number[cut:], unit.name) {
			number, factor = strings.TrimSpace(number[:cut]), unit.bytes
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/factor {
		return fmt.Errorf("%q is not a size like 8388608, 512KiB or 8MiB", text)
	}
	*s = ByteSize(n * factor)
	return nil
}

// String is the size in the largest binary unit that divides it.
func (s ByteSize) String() string {
	for _, unit := range byteUnits {
		if unit.binary && s != 0 && int64(s)%unit.bytes == 0 {
			return strconv.FormatInt(int64(s)/unit.bytes, 10) + unit.name
		}
	}
	return strconv.FormatInt(int64(s), 10)
}
