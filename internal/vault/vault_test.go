package vault

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

func vault(t *testing.T, key []byte) *Vault {
	t.Helper()
	v, err := New(key)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSeal(t *testing.T) {
	v := vault(t, NewKey())
	one, two := v.Seal([]byte("secret"), "row 1"), v.Seal([]byte("secret"), "row 1")
	if one == two || strings.Contains(one, "secret") {
		t.Error("sealed twice alike, or not at all")
	}
	if plain, err := v.Open(one, "row 1"); err != nil || string(plain) != "secret" {
		t.Errorf("%q %v", plain, err)
	}
	changed := []byte(one)
	changed[len(changed)/2] ^= 1
	for name, open := range map[string]func() ([]byte, error){
		"another row": func() ([]byte, error) { return v.Open(one, "row 2") },
		"another key": func() ([]byte, error) { return vault(t, NewKey()).Open(one, "row 1") },
		"changed":     func() ([]byte, error) { return v.Open(string(changed), "row 1") },
		"short":       func() ([]byte, error) { return v.Open("AAAA", "row 1") },
		"no base64":   func() ([]byte, error) { return v.Open("!", "row 1") },
		"nothing":     func() ([]byte, error) { return v.Open("", "row 1") },
	} {
		if plain, err := open(); !errors.Is(err, ErrSealed) || plain != nil {
			t.Errorf("%s: %q %v", name, plain, err)
		}
	}
}

func TestParseKey(t *testing.T) {
	key := NewKey()
	for _, text := range []string{
		hex.EncodeToString(key), strings.ToUpper(hex.EncodeToString(key)), base64.StdEncoding.EncodeToString(key),
		base64.RawURLEncoding.EncodeToString(key),
	} {
		if got, err := ParseKey(text); err != nil || !bytes.Equal(got, key) {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{"", "hunter2", hex.EncodeToString(key[:31]), base64.StdEncoding.EncodeToString(append(key, 1))} {
		if _, err := ParseKey(text); err == nil || text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := New(key[:16]); err == nil {
		t.Error("a short key is taken")
	}
}

func TestKeyFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	keys := make([][]byte, 16)
	var wait sync.WaitGroup
	for i := range keys {
		wait.Go(func() {
			var err error
			if keys[i], err = LoadKey(dir); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	for _, key := range keys {
		if len(key) != KeySize || !bytes.Equal(key, keys[0]) {
			t.Fatal("not all have one key")
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Errorf("%v %v", files, err)
	}
	path := filepath.Join(dir, KeyFile)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if err := os.WriteFile(path, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadKey(dir); err == nil || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "nonsense") {
		t.Errorf("a broken file: %v", err)
	}
}

func TestCheck(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		key := NewKey()
		var wait sync.WaitGroup
		for range 4 { // nodes that begin at once
			wait.Go(func() {
				if err := vault(t, key).Check(t.Context(), db); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		if err := vault(t, NewKey()).Check(t.Context(), db); !errors.Is(err, ErrOtherKey) {
			t.Errorf("another key: %v", err)
		}
		n := 0
		err := db.Write(t.Context(), func(tx sqldb.Tx) error {
			if err := tx.Query(t.Context(), `select 1 from gateway_vault`, nil, func(sqldb.Row) error { n++; return nil }); err != nil {
				return err
			}
			return Forget(t.Context(), tx)
		})
		if err != nil || n != 1 {
			t.Errorf("%d rows, %v", n, err)
		}
		if err := vault(t, NewKey()).Check(t.Context(), db); err != nil {
			t.Errorf("after all was forgotten: %v", err)
		}
	})
}

// Nodes with different keys that begin at once: one stays.
func TestCheckOfTwoKeys(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		errs := make([]error, 8)
		var wait sync.WaitGroup
		for i := range errs {
			wait.Go(func() { errs[i] = vault(t, NewKey()).Check(t.Context(), db) })
		}
		wait.Wait()
		good := 0
		for _, err := range errs {
			switch {
			case err == nil:
				good++
			case !errors.Is(err, ErrOtherKey):
				t.Error(err)
			}
		}
		if good != 1 {
			t.Errorf("%d keys are taken", good)
		}
	})
}
