package identity

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/internal/fault"
)

// Hashes that passlib 1.7.4 and argon2-cffi would make, computed apart.
const (
	odooHash     = "$pbkdf2-sha512$1000$T2Rvb1NhbHRPZG9vU2FsdA$VVvmffkI4YvfAVyyuwU9IWtWw6iswvHazbIEHiYz/PeCfNmOvXVSE7u4e0twwZ4vs9S.iDwGmZZBU4EoWffQVQ" // of odette
	odooAdmin    = "$pbkdf2-sha512$25000$AAECAwQFBgcICQoLDA0ODw$hzjCVDG9FELw2b5EEyih3Omxf8FRIQmndWjgpGGArUfNcobEKrNA0TCDqviQOUQRez/u2tkBEug55SdLU1CGvQ"
	odooUmlauts  = "$pbkdf2-sha512$1000$.//......//......//.....$IyYFMiLj1LJl5.EokVV6k8tr3qExtIANrqStLan5NtRl1r0SVVTKawcieBlu5ungYHn4wf6KLiOTOZTAv83X.g"
	phcReference = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc" // phc-winner-argon2, test.c
)

func TestVerify(t *testing.T) {
	p := NewPasswords(1)
	ours, err := p.Hash(t.Context(), "s3cret ☃")
	if err != nil || !strings.HasPrefix(ours, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatal(ours, err)
	}
	if again, err := p.Hash(t.Context(), "s3cret ☃"); err != nil || again == ours {
		t.Errorf("twice the same: %v", err)
	}
	for _, test := range []struct {
		password, stored string
		want             bool
	}{
		{"s3cret ☃", ours, true},
		{"s3cret", ours, false},
		{"", ours, false},
		{"admin", odooAdmin, true},
		{"Admin", odooAdmin, false},
		{"pässwörd ☃", odooUmlauts, true},
		{"pässwörd ☃", strings.ReplaceAll(odooUmlauts, ".", "+"), true},
		{"password", phcReference, true},
		{"passwort", phcReference, false},
		{"admin", "admin", false},
		{"", "", false},
		{strings.Repeat("x", MaxPassword+1), ours, false},
	} {
		if got, err := p.Verify(t.Context(), test.password, test.stored); got != test.want || err != nil {
			t.Errorf("%.20q for %.30s…: %v (%v), want %v", test.password, test.stored, got, err, test.want)
		}
	}
}

func TestHashRefuses(t *testing.T) {
	for _, password := range []string{"", strings.Repeat("x", MaxPassword+1)} {
		if _, err := NewPasswords(1).Hash(t.Context(), password); !fault.Is(err, fault.BadRequest) {
			t.Errorf("%d bytes: %v", len(password), err)
		}
	}
	if _, err := NewPasswords(1).Hash(t.Context(), strings.Repeat("x", MaxPassword)); err != nil {
		t.Error(err)
	}
}

func TestParsePasswordHashRefuses(t *testing.T) {
	argon := "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	if _, err := parsePasswordHash(argon); err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{
		{"argon2id", "argon2i"},
		{"v=19", "v=16"},
		{"v=19$", ""},
		{"m=19456", "m=4294967296"},
		{"m=19456", "m=1000000"},
		{"m=19456", "m=7"},
		{"m=19456", "m=-1"},
		{"t=2", "t=0"},
		{"t=2", "t=1000"},
		{"p=1", "p=0"},
		{"p=1", "p=65"},
		{"p=1", "p=1,x=1"},
		{"t=2", "x=2"},
		{"c29tZXNhbHQ", "c29t"},
		{"c29tZXNhbHQ", "c29tZXNhbHQ="},
		{"CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "CTFh"},
		{"$argon2id", "x$argon2id"},
		{"RPPc", "RPPc$"},
	} {
		text := strings.Replace(argon, change[0], change[1], 1)
		if h, err := parsePasswordHash(text); err == nil {
			t.Errorf("%s reads as %+v", text, h)
		}
	}
	for _, text := range []string{
		"", "$", "$$$$$", "$pbkdf2-sha512$0$AAEC$" + strings.Repeat("A", 86),
		"$pbkdf2-sha512$99999999$AAEC$" + strings.Repeat("A", 86), "$pbkdf2-sha512$1000$$" + strings.Repeat("A", 86),
		"$pbkdf2-sha512$1000$AAEC$AAEC", "$pbkdf2-sha256$1000$AAEC$" + strings.Repeat("A", 86),
		"$pbkdf2-sha512$1000$AAEC$" + strings.Repeat("A", 20000),
	} {
		if h, err := parsePasswordHash(text); err == nil {
			t.Errorf("%.60s reads as %+v", text, h)
		}
	}
}

// Somebody unknown costs the work that the users here cost.
func TestUnknownTakesAsLong(t *testing.T) {
	p := NewPasswords(1)
	ours, err := p.Hash(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	took := func(stored string) time.Duration {
		begin := time.Now()
		if ok, err := p.Verify(t.Context(), "guess", stored); ok || err != nil {
			t.Fatal(ok, err)
		}
		return time.Since(begin)
	}
	for _, stored := range []string{ours, odooAdmin} {
		p.Expect(stored)
		unknown, known := time.Hour, time.Hour
		for range 5 { // the least of several in turn: other programs run too
			unknown, known = min(unknown, took("")), min(known, took(stored))
		}
		if unknown < known/3 {
			t.Errorf("%.15s…: unknown %v, known %v", stored, unknown, known)
		}
	}
	p.Expect("garbage")
	if h := p.usual.Load(); h.memory != 0 || h.rounds != 25000 {
		t.Errorf("garbage is expected: %+v", h)
	}
}

func TestPasswordsWait(t *testing.T) {
	p := NewPasswords(1)
	release, err := p.acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := p.Verify(ctx, "x", ""); !fault.Is(err, fault.Unavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second one got a slot: %v", err)
	}
	patient, leave := context.WithCancel(t.Context())
	var queue sync.WaitGroup
	for range maxWaiting {
		queue.Go(func() { _, _ = p.acquire(patient) })
	}
	for p.waiting.Load() < maxWaiting {
		time.Sleep(time.Millisecond)
	}
	if _, err := p.Hash(t.Context(), "x"); !fault.Is(err, fault.Unavailable) || fault.From(err).RetryAfter == 0 {
		t.Errorf("too many wait: %v", err)
	}
	leave()
	queue.Wait()
	release()
	if _, err := p.Verify(t.Context(), "x", odooHash); err != nil {
		t.Errorf("the slot is not free again: %v", err)
	}
}

func FuzzParsePasswordHash(f *testing.F) {
	for _, seed := range []string{odooAdmin, odooUmlauts, phcReference, "", "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		h, err := parsePasswordHash(text)
		if err != nil {
			return
		}
		if h.rounds < 1 || len(h.salt) == 0 || len(h.sum) < 16 || h.memory > maxArgonMemory || (h.memory > 0) != (h.threads > 0) {
			t.Fatalf("%q reads as %+v", text, h)
		}
		if h.memory > 0 {
			if again, err := parsePasswordHash(h.String()); err != nil || again.String() != h.String() {
				t.Fatalf("%q writes as %q (%v)", text, h, err)
			}
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	p := NewPasswords(1)
	ours, err := p.Hash(b.Context(), "x")
	if err != nil {
		b.Fatal(err)
	}
	for name, stored := range map[string]string{"argon2id": ours, "pbkdf2_25000": odooAdmin} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, _ = p.Verify(b.Context(), "x", stored)
			}
		})
	}
}
