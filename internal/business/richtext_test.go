package business

import (
	"strings"
	"testing"

	"golang.org/x/net/html"
)

func TestSanitizeHTML(t *testing.T) {
	clean := HTMLSanitizer()
	for _, test := range []struct{ text, want string }{
		{"", ""},
		{" \n", ""},
		{"plain", "<p>plain</p>"},
		{"a & b < c", "<p>a &amp; b &lt; c</p>"},
		{"a\u00a0b 'c' \"d\"", `<p>a&nbsp;b 'c' "d"</p>`},
		{"one <b>two</b> three<p>four</p>", "<p>one <b>two</b> three</p><p>four</p>"},
		{"<p>ok</p>", "<p>ok</p>"},
		{"<p></p>", "<p></p>"},
		{"<p>a</p><p>b</p>", "<p>a</p><p>b</p>"},
		{"<div>signed</div>", "<div>signed</div>"},
		{"<b>unclosed", "<b>unclosed</b>"},
		{"<b>bold</b> and not", "<span><b>bold</b> and not</span>"},
		{"<ul><li>a<li>b</ul>", "<ul><li>a</li><li>b</li></ul>"},
		{"line<br/>next", "<p>line<br>next</p>"},
		{"<pre>\n\nx</pre>", "<pre>\n\nx</pre>"},
		{`<p style="color:red">s</p>`, `<p style="color:red">s</p>`},
		{`<p style="width: expr/**/ession(alert(1))">s</p>`, "<p>s</p>"},
		{`<p style="background: url(java&#10;script:x)">s</p>`, "<p>s</p>"},
		{`<script>alert(1)</script><p onclick="x()">kept</p>`, "<p>kept</p>"},
		{`<!-- c --><p>x</p>`, "<p>x</p>"},
		{`<!-- only a comment -->`, ""},
		{`<iframe src='x'></iframe>`, ""},
		{`<p>a<iframe src='x'></iframe>b</p>`, "<p>ab</p>"},
		{`<form action="/x"><input name="a">text</form>`, "<p>text</p>"},
		{`<o-tag>text</o-tag>`, "<p>text</p>"},
		{`<a href="javascript:x">l</a>`, `<p>l</p>`},
		{`<a href=" &#1;jAva&#9;script:x">l</a>`, `<p>l</p>`},
		{`<a href="data:text/html,x">l</a>`, `<p>l</p>`},
		{`<a href="/web#id=1&amp;model=x:y" target="_blank">l</a>`, `<a href="/web#id=1&amp;model=x:y">l</a>`},
		{`<a href="https://example.com/a?b=c">l</a>`, `<a href="https://example.com/a?b=c">l</a>`},
		{`<img src="data:image/png;base64,AAAA" onerror="x()" alt="ab">`, `<img src="data:image/png;base64,AAAA" alt="ab">`},
		{`<svg><script>alert(1)</script></svg><p>x</p>`, "<p>x</p>"},
		{`<p data-x="y">x</p>`, `<p>x</p>`},
	} {
		got := clean(test.text)
		if got != test.want {
			t.Errorf("%q: got %q, want %q", test.text, got, test.want)
		}
		if again := clean(got); again != got {
			t.Errorf("%q: cleaned again %q becomes %q", test.text, got, again)
		}
	}
}

// FuzzSanitizeHTML: cleaning twice is cleaning once, and nothing is left that
// could run.
func FuzzSanitizeHTML(f *testing.F) {
	for _, seed := range []string{
		"plain", "<p>a</p>", "a<p>b", "<b>x<i>y</b>z</i>", "<a href=javascript:x>l", "<table><p>x<td>y", "<svg><p onclick=x>",
		"<math><mtext><table><mglyph><style><!--</style><img onerror=x>", "<p><form><p><form>", "<a><table><a>",
		"<pre>\n\nx", "<select><p>", "<template><p>x", "&lt;script&gt;", "<img src=x onerror=y>", "<p style='a:\\65xpression(1)'>",
		"<h1><h2>x</h1>", "<li><ul><li>", "<font><p><font><p>", "\x00&#0;<\x00p>",
	} {
		f.Add(seed)
	}
	sanitize := HTMLSanitizer()
	f.Fuzz(func(t *testing.T, text string) {
		clean := sanitize(text)
		if again := sanitize(clean); again != clean {
			t.Fatalf("%q becomes %q, then %q", text, clean, again)
		}
		doc, err := html.Parse(strings.NewReader(clean))
		if err != nil {
			t.Fatal(err)
		}
		for n := range doc.Descendants() {
			if n.Type == html.ElementNode && (n.Namespace != "" || strings.Contains(" script style iframe object embed form input svg math ", " "+n.Data+" ")) {
				t.Errorf("%q: %q holds %s", text, clean, n.Data)
			}
			for _, a := range n.Attr {
				value := strings.ToLower(strings.Join(strings.Fields(a.Val), ""))
				if strings.HasPrefix(a.Key, "on") || (a.Key == "href" || a.Key == "src") && (strings.HasPrefix(value, "javascript:") || strings.HasPrefix(value, "vbscript:")) {
					t.Errorf("%q: %q holds %s", text, clean, a.Key)
				}
			}
		}
	})
}
