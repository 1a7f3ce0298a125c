package apidoc

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"

	"gatehouse/internal/httpapi"
)

//go:generate ../../scripts/scalar

// The page's program is Scalar's, as its makers publish it, compressed. See
// scripts/scalar for where it comes from, and page/LICENSE.scalar.
//
//go:embed page/page.html page/page.js page/scalar.js.gz
var pageFiles embed.FS

// policy lets the page load what is its own, and nothing else from anywhere.
// Scalar puts its style sheets into the page while it runs, and images into
// them as data.
const policy = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src 'self' data: blob:; font-src data:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func loadPages() (map[string]*httpapi.File, error) {
	pages := map[string]*httpapi.File{
		"":          {Type: "text/html; charset=utf-8", Policy: policy},
		"page.js":   {Type: "text/javascript; charset=utf-8"},
		"scalar.js": {Type: "text/javascript; charset=utf-8", Gzip: true},
	}
	for name, source := range map[string]string{"": "page.html", "page.js": "page.js", "scalar.js": "scalar.js.gz"} {
		body, err := pageFiles.ReadFile("page/" + source)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(body)
		pages[name].Body, pages[name].ETag = body, `"`+hex.EncodeToString(sum[:16])+`"`
	}
	return pages, nil
}

// Page implements httpapi.Documents.
func (d *Docs) Page(name string) *httpapi.File { return d.pages[name] }
