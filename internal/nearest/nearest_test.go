package nearest

import "testing"

func TestWord(t *testing.T) {
	fields := []string{"image", "name", "email", "country_id", "res.partner", "sale.order", "active"}
	for word, want := range map[string]string{
		"anme": "name", "nam": "name", "mail": "email", "countri_id": "country_id",
		"res.partnr": "res.partner", "sale.ordr": "sale.order", "zzzzzz": "", "": "", "activ": "active",
	} {
		if got := Word(word, fields); got != want {
			t.Errorf("Word(%q) = %q, want %q", word, got, want)
		}
	}
	if got := Word("ab", []string{"ac", "aa"}); got != "aa" {
		t.Errorf("a tie goes to %q", got)
	}
}
