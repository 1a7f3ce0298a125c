package business

import (
	"crypto/sha1" //nolint:gosec // Odoo's checksum of a file; nothing is protected by it
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"path"
	"strings"

	"gatehouse/internal/record"
)

// attachmentLogics keep what is told of a file true to its bytes.
func attachmentLogics() []record.Logic {
	return []record.Logic{{
		Model:    "ir.attachment",
		Defaults: map[string]func(e *record.Env) (any, error){"company_id": currentCompany},
		Prepare: func(e *record.Env, values record.Values) error {
			file, given := fileOf(values)
			values["mimetype"] = mimetype(e, values, file)
			if given && len(file) > 0 {
				keepFile(values, file)
			}
			return nil
		},
		BeforeWrite: func(e *record.Env, recs []record.Rec, values record.Values) error {
			_, typed := values["mimetype"]
			file, given := fileOf(values)
			if !given && !typed {
				return nil
			}
			about := record.Values{"mimetype": values["mimetype"], "name": values["name"], "url": values["url"]}
			if text(about["name"]) == "" && len(recs) == 1 {
				about["name"] = recs[0].Text("name")
			}
			values["mimetype"] = mimetype(e, about, file)
			if given {
				keepFile(values, file)
			}
			return nil
		},
		Checks: []record.Constraint{{Fields: []string{"type", "url"}, Check: checkServed}},
	}}
}

// checkServed refuses files that Odoo would serve at an address of its own: only
// administrators make those.
func checkServed(e *record.Env, r record.Rec) error {
	if r.Text("type") == "binary" && r.Text("url") != "" && !e.InGroup(groupSystem) {
		return refuse("Sorry, you are not allowed to write on this document: a file with a url is for administrators")
	}
	return nil
}

// fileOf takes the bytes out of values, by whichever of their names they are
// given, and what callers cannot say of them.
func fileOf(values record.Values) (file []byte, given bool) {
	for _, name := range []string{"db_datas", "datas", "raw"} { // of several the last counts
		v, ok := values[name]
		if !ok {
			continue
		}
		delete(values, name)
		given = true
		if s := text(v); s != "" {
			file, _ = base64.StdEncoding.DecodeString(s) // the engine has looked at it
		}
	}
	for _, name := range []string{"file_size", "checksum", "store_fname"} {
		delete(values, name)
	}
	return file, given
}

// keepFile sets the bytes and what follows from them.
func keepFile(values record.Values, file []byte) {
	sum := sha1.Sum(file)
	values["checksum"], values["file_size"] = hex.EncodeToString(sum[:]), int64(len(file))
	values["db_datas"] = base64.StdEncoding.EncodeToString(file)
}

// mimetype is the type of a file: what is said of it, else what its name ends
// in, else what its first bytes look like. What a browser might run is plain
// text where others than administrators bring it.
func mimetype(e *record.Env, values record.Values, file []byte) string {
	kind := strings.ToLower(text(values["mimetype"]))
	for _, name := range []string{text(values["name"]), strings.SplitN(text(values["url"]), "?", 2)[0]} {
		if kind == "" {
			kind = typesByEnding[strings.ToLower(path.Ext(name))]
		}
	}
	const unknown = "application/octet-stream"
	if (kind == "" || kind == unknown) && len(file) > 0 {
		kind, _, _ = strings.Cut(http.DetectContentType(file), ";")
	}
	if kind == "" {
		kind = unknown
	}
	markup := strings.Contains(kind, "ht") ||
		strings.Contains(kind, "xml") && !strings.HasPrefix(kind, "application/vnd.openxmlformats")
	if markup && !e.InGroup(groupSystem) {
		return "text/plain"
	}
	return kind
}

// typesByEnding are the types of files by what their names end in.
var typesByEnding = map[string]string{
	".txt": "text/plain", ".log": "text/plain", ".csv": "text/csv", ".md": "text/markdown", ".html": "text/html", ".htm": "text/html",
	".xml": "text/xml", ".css": "text/css", ".js": "text/javascript", ".json": "application/json", ".ics": "text/calendar", ".vcf": "text/x-vcard",
	".pdf": "application/pdf", ".zip": "application/zip", ".gz": "application/gzip", ".tar": "application/x-tar", ".7z": "application/x-7z-compressed",
	".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp", ".bmp": "image/bmp",
	".svg": "image/svg+xml", ".tif": "image/tiff", ".tiff": "image/tiff", ".ico": "image/vnd.microsoft.icon",
	".mp3": "audio/mpeg", ".wav": "audio/x-wav", ".mp4": "video/mp4", ".webm": "video/webm", ".mov": "video/quicktime", ".avi": "video/x-msvideo",
	".eml": "message/rfc822", ".rtf": "application/rtf", ".doc": "application/msword", ".xls": "application/vnd.ms-excel", ".ppt": "application/vnd.ms-powerpoint",
	".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
	".odt":  "application/vnd.oasis.opendocument.text", ".ods": "application/vnd.oasis.opendocument.spreadsheet",
}
