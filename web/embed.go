// Package web is Gatehouse's pages: what npm run build makes of web/src, and
// the handler that serves it. The built files are part of the repository, so
// that building the program needs nothing but Go.
package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:generate npm ci --ignore-scripts --no-audit --no-fund
//go:generate npm run build

//go:embed all:dist
var dist embed.FS

// policy lets the pages load what comes from here and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"font-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"

// file is one file of the pages, with what is told of it.
type file struct {
	content    []byte
	kind, etag string
	lasting    bool // its name changes with its content
	compressed func() []byte
}

// Handler answers the pages, and passes on what is not theirs: / where another
// type than HTML is asked for, all paths that are no file, and every request
// that refused says is not to be answered with pages.
func Handler(next http.Handler, refused func(*http.Request) bool) (http.Handler, error) {
	files, err := load()
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f := find(files, r); f != nil && !refused(r) {
			f.serve(w, r)
			return
		}
		next.ServeHTTP(w, r)
	}), nil
}

func find(files map[string]*file, r *http.Request) *file {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return nil
	}
	name := r.URL.Path
	if name == "/" {
		if !strings.Contains(r.Header.Get("Accept"), "text/html") {
			return nil
		}
		name = "/index.html"
	}
	return files[name]
}

func load() (map[string]*file, error) {
	files := map[string]*file{}
	err := fs.WalkDir(dist, "dist", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := dist.ReadFile(name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(content)
		files[strings.TrimPrefix(name, "dist")] = &file{
			content: content, kind: kindOf(name), etag: `"` + hex.EncodeToString(sum[:12]) + `"`,
			lasting:    strings.HasPrefix(name, "dist/assets/"),
			compressed: sync.OnceValue(func() []byte { return compress(content) }),
		}
		return nil
	})
	return files, err
}

// kinds are named here, because those of the machine may be others.
var kinds = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
	".svg": "image/svg+xml", ".woff2": "font/woff2", ".json": "application/json", ".png": "image/png",
}

func kindOf(name string) string {
	if kind := kinds[path.Ext(name)]; kind != "" {
		return kind
	}
	if kind := mime.TypeByExtension(path.Ext(name)); kind != "" {
		return kind
	}
	return "application/octet-stream"
}

// compress gives nothing where that would not save anything.
func compress(content []byte) []byte {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil
	}
	if _, err := z.Write(content); err != nil || z.Close() != nil || out.Len() >= len(content) {
		return nil
	}
	return out.Bytes()
}

func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("ETag", "W/"+f.etag)
	h.Set("Vary", "Accept, Accept-Encoding")
	if f.lasting {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		h.Set("Cache-Control", "no-cache")
	}
	if known := strings.Split(r.Header.Get("If-None-Match"), ","); slices.ContainsFunc(known, f.is) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", f.kind)
	content := f.content
	if acceptsGzip(r.Header.Get("Accept-Encoding")) {
		if small := f.compressed(); small != nil {
			content = small
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(content)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(content) // the reader is gone: there is nobody to tell
	}
}

// is says whether a tag of a reader's copy is this file's; compressed and
// plain are the same in meaning, hence the weak comparison of RFC 9110.
func (f *file) is(tag string) bool {
	tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
	return tag == f.etag
}

// acceptsGzip reads Accept-Encoding as far as it concerns gzip.
func acceptsGzip(accept string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		coding, quality, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.TrimSpace(coding) == "gzip" {
			q := strings.TrimPrefix(strings.TrimSpace(quality), "q=")
			value, err := strconv.ParseFloat(q, 64)
			return quality == "" || err == nil && value > 0
		}
	}
	return false
}
