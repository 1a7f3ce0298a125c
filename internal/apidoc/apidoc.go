// Package apidoc describes the API to those who call it: it turns the route
// table and what the backend says of a caller's models into the OpenAPI
// document of this caller, and holds the page that shows it.
package apidoc

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"sync"

	"golang.org/x/sync/singleflight"

	"gatehouse/internal/backend"
	"gatehouse/internal/httpapi"
	"gatehouse/internal/openapi"
)

// Source tells what callers may use; the engine does.
type Source interface {
	// CatalogueKey tells catalogues apart, without making one.
	CatalogueKey(ctx context.Context, c *backend.Caller) (string, error)
	Catalogue(ctx context.Context, c *backend.Caller) (*backend.Catalogue, error)
}

// Options are what documents are made from.
type Options struct {
	Source  Source
	Version string // of the program
	// Superuser is who knows the models of curated resources, whoever asks.
	Superuser *backend.Caller
}

// Docs makes documents and keeps them. It is safe for concurrent use.
type Docs struct {
	opts  Options
	pages map[string]*httpapi.File

	making singleflight.Group
	mu     sync.Mutex
	kept   map[string]*httpapi.File
	order  []string // of kept, the oldest first
	size   int      // bytes in kept
}

// maxKept bounds the documents that are kept, in bytes. One of 430 models has
// about nine million.
const maxKept = 64 << 20

// New makes a Docs without documents.
func New(opts Options) (*Docs, error) {
	pages, err := loadPages()
	return &Docs{opts: opts, pages: pages, kept: map[string]*httpapi.File{}}, err
}

// OpenAPI implements httpapi.Documents. A document is made once for all callers
// who may do the same.
func (d *Docs) OpenAPI(ctx context.Context, q *httpapi.DocumentQuery) (*httpapi.File, error) {
	key, err := d.key(ctx, q)
	if err != nil {
		return nil, err
	}
	if file := d.find(key); file != nil {
		return file, nil
	}
	// Whoever comes first makes it for all who wait, also if he hangs up.
	made, err, _ := d.making.Do(key, func() (any, error) {
		doc, err := d.Document(context.WithoutCancel(ctx), q)
		if err != nil {
			return nil, err
		}
		file := &httpapi.File{Type: "application/json; charset=utf-8", Body: doc.JSON(version(q.Old))}
		sum := sha256.Sum256(file.Body)
		file.ETag = `"` + hex.EncodeToString(sum[:16]) + `"`
		d.keep(key, file)
		return file, nil
	})
	if err != nil {
		return nil, err
	}
	file, _ := made.(*httpapi.File)
	return file, nil
}

func version(old bool) openapi.Version {
	if old {
		return openapi.V30
	}
	return openapi.V31
}

// key tells documents apart: what the caller may use, what his credential
// covers, the version, and the address that the document speaks of.
func (d *Docs) key(ctx context.Context, q *httpapi.DocumentQuery) (string, error) {
	caller, scopes := d.opts.Superuser, "-"
	if q.Who != nil {
		caller, scopes = q.Caller, q.Who.Scopes.String()+strconv.FormatBool(q.Who.Administrator)
	}
	catalogue, err := d.opts.Source.CatalogueKey(ctx, caller)
	return q.Server + "\n" + catalogue + "\n" + scopes + "\n" + strconv.FormatBool(q.Old), err
}

func (d *Docs) find(key string) *httpapi.File {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.kept[key]
}

// keep keeps a document; the oldest go where there are too many.
func (d *Docs) keep(key string, file *httpapi.File) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.kept[key] != nil {
		return
	}
	d.kept[key], d.order, d.size = file, append(d.order, key), d.size+len(file.Body)
	for d.size > maxKept && len(d.order) > 1 {
		oldest := d.order[0]
		d.size -= len(d.kept[oldest].Body)
		delete(d.kept, oldest)
		d.order = d.order[1:]
	}
}
