package business

import (
	"regexp"
	"strings"

	"golang.org/x/net/html"
)

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		set[w] = true
	}
	return set
}

// What rich text may hold. What is in none of the lists of elements loses its
// tags and keeps its content.
var (
	allowed = wordSet(`a abbr acronym address area article aside b bdi bdo big blockquote br caption center cite code
		col colgroup dd del details dfn dir div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hgroup
		hr i img ins kbd li main map mark menu nav ol p pre q rp rt ruby s samp section small span strike strong
		sub summary sup table tbody td tfoot th thead time tr tt u ul var wbr`)
	// killed elements go with all that they hold.
	killed = wordSet(`script style head title base link meta noscript template svg math textarea select button input
		keygen xmp plaintext noembed noframes param`)
	// embedded ones too; where nothing else is there, an empty block stays.
	embedded = wordSet(`iframe frame frameset object embed applet`)
	voids    = wordSet(`area br col hr img wbr`)
	blocks   = wordSet(`address article aside blockquote caption center col colgroup dd details dir div dl dt figcaption
		figure footer h1 h2 h3 h4 h5 h6 header hgroup hr li main menu nav ol p pre section summary table tbody td
		tfoot th thead tr ul`)
	attributes = wordSet(`abbr align alt axis bgcolor border cellpadding cellspacing char charoff cite class clear color cols colspan
		compact coords datetime dir face headers height href hreflang hspace id ismap lang longdesc loading name nohref noshade
		nowrap rel rev role rowspan rules scope shape size span src start style summary tabindex target title type
		usemap valign value vspace width`)
	addresses = wordSet("cite href longdesc src")
	schemes   = wordSet("http https mailto tel sms ftp ftps cid")
)

// pictures are data: addresses that hold an image which cannot run.
var pictures = regexp.MustCompile(`^data:image/(png|gif|jpe?g|webp|bmp);base64,[A-Za-z0-9+/=]*$`)

// cleanAttributes keeps the attributes that are harmless. An address that
// could run is emptied.
func cleanAttributes(tag string, attrs []html.Attribute) []html.Attribute {
	var kept []html.Attribute
	for _, a := range attrs {
		if a.Namespace != "" || !attributes[a.Key] && !ownData(a.Key) {
			continue
		}
		switch {
		case addresses[a.Key]:
			a.Val = safeAddress(a.Val, tag == "img" && a.Key == "src")
		case a.Key == "style" && !safeStyle(a.Val):
			continue
		}
		kept = append(kept, a)
	}
	return kept
}

// ownData says whether an attribute is one of Odoo's own for editing text.
func ownData(name string) bool {
	rest, ok := strings.CutPrefix(name, "data-o")
	return ok && strings.Trim(rest, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

// safeAddress gives an address as it is kept, or "" for one that could run.
func safeAddress(address string, picture bool) string {
	bare := strings.Map(func(c rune) rune { // browsers look past these
		if c <= ' ' || c == 0x7f || c == 0xa0 || c == 0xad || c == 0xfeff || 0x2000 <= c && c <= 0x200f || c == 0x2028 || c == 0x2029 {
			return -1
		}
		return c
	}, address)
	end := strings.IndexAny(bare, ":/?#")
	if end >= 0 && bare[end] == ':' && !schemes[strings.ToLower(bare[:end])] {
		if picture && pictures.MatchString(bare) {
			return bare
		}
		return ""
	}
	return escapeAddress(strings.TrimLeft(address, " \t\r\n"))
}

// escapeAddress writes what an address may not hold as %XX.
func escapeAddress(address string) string {
	const plain = "-_.!~*'()\"#$%&+,/:;<=>?@[\\]^`{|}"
	const hex = "0123456789ABCDEF"
	var out strings.Builder
	for i := range len(address) {
		c := address[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(plain, c) >= 0 {
			out.WriteByte(c)
			continue
		}
		out.Write([]byte{'%', hex[c>>4], hex[c&15]})
	}
	return out.String()
}

var (
	styleNotes  = regexp.MustCompile(`(?s)/\*.*?(\*/|$)`)
	styleDanger = regexp.MustCompile(`expression|script|@import|behaviou?r|-moz-binding|[\\<]|data:`)
)

// safeStyle says whether nothing in a style can run. Escapes have no use in
// honest styles and are refused.
func safeStyle(style string) bool {
	bare := styleNotes.ReplaceAllString(style, "")
	bare = strings.ToLower(strings.Join(strings.Fields(bare), ""))
	return !styleDanger.MatchString(bare)
}
