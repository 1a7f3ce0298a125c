package config

import "testing"

func TestByteSize(t *testing.T) {
	for text, want := range map[string]struct {
		bytes ByteSize
		shown string
	}{
		"0": {0, "0"}, "1": {1, "1"}, "8388608": {8 << 20, "8MiB"}, "8MiB": {8 << 20, "8MiB"}, "8 mib": {8 << 20, "8MiB"},
		"512KiB": {512 << 10, "512KiB"}, "2GiB": {2 << 30, "2GiB"}, "5MB": {5e6, "5000000"}, "7kb": {7000, "7000"},
		"1GB": {1e9, "1000000000"}, "12B": {12, "12"}, "1536KiB": {1536 << 10, "1536KiB"},
	} {
		var got ByteSize
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want.bytes || got.String() != want.shown {
			t.Errorf("%q: %d (%s) %v, want %d (%s)", text, got, got, err, want.bytes, want.shown)
		}
	}
	for _, text := range []string{"", "MiB", "-1", "-1MiB", "1.5MiB", "8M", "8 MiB x", "9223372036854775807KiB", "99999999999999999999", "0x10"} {
		var got ByteSize
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken as %d", text, got)
		}
	}
}

// Proxies and others are compared with plain addresses, so that the ranges must
// be plain too.
func TestNetworks(t *testing.T) {
	for text, want := range map[string]string{
		"": "", " , ": "", "10.1.2.3/8, fd00::/8": "10.0.0.0/8,fd00::/8", "127.0.0.1,::1": "127.0.0.1/32,::1/128",
		"::ffff:10.0.0.0/104": "10.0.0.0/8", "::ffff:127.0.0.1": "127.0.0.1/32",
	} {
		var got Networks
		if err := got.UnmarshalText([]byte(text)); err != nil || got.String() != want {
			t.Errorf("%q: %s (%v), want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"x", "10.0.0.0/33", "10.0.0.0/8/8", "fe80::1%eth0", "::ffff:10.0.0.0/8", "10.0.0.1 10.0.0.2"} {
		var got Networks
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken as %s", text, got)
		}
	}
}
