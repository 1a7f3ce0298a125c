package webhook_test

import (
	"strings"

	"gatehouse/internal/backend"
)

// storyAttachments: what is attached to a record is told of when it comes and
// when it goes with the record; bytes and tokens are not told.
func storyAttachments(w *world) {
	w.hook(backend.Values{"model": "ir.attachment"})
	partner := w.create("res.partner", backend.Values{"name": "P"})[0]
	file := w.create("ir.attachment", backend.Values{
		"name": "f", "datas": "c2VjcmV0IGJ5dGVz", "access_token": "let-me-in", "res_model": "res.partner", "res_id": partner,
	})[0]
	w.unlink("res.partner", partner)
	told := w.jobs()
	if got := said(told); got != "create unlink" || told[1].id() != file {
		w.Fatalf("told %q of %d", got, file)
	}
	if told[0].Record["file_size"] != 12.0 {
		w.Errorf("%v", told[0].Record)
	}
	for _, hidden := range []string{"c2VjcmV0", "let-me-in"} {
		if strings.Contains(told[0].raw, hidden) {
			w.Errorf("%s is in %s", hidden, told[0].raw)
		}
	}
}
