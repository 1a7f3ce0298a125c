package config

import "testing"

func FuzzByteSize(f *testing.F) {
	f.Add("8MiB")
	f.Fuzz(func(t *testing.T, s string) {
		var a, b ByteSize
		if a.UnmarshalText([]byte(s)) != nil {
			return
		}
		if err := b.UnmarshalText([]byte(a.String())); err != nil || a != b {
			t.Errorf("%q: %d, printed %s, read %d, %v", s, a, a, b, err)
		}
	})
}
