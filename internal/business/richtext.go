package business

import (
	"strings"

	"github.com/microcosm-cc/bluemonday"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// mostPasses bounds how often a text is cleaned until it stays as it is.
const mostPasses = 6

// HTMLSanitizer gives what html fields clean their values with: what could run
// in a browser is gone, open tags are closed, and text that stands alone becomes
// a paragraph, as in Odoo. What it gives stays as it is when it is cleaned again.
func HTMLSanitizer() func(string) string {
	policy := bluemonday.UGCPolicy()
	policy.AllowStyling()
	policy.AllowStyles("color", "background-color", "text-align", "text-decoration", "font-weight", "font-style", "font-size").Globally()
	policy.AllowDataURIImages()
	policy.RequireNoFollowOnLinks(false)
	return func(text string) string {
		text = strings.ToValidUTF8(text, "\uFFFD")
		clean := text
		for range mostPasses {
			next, err := tidy(policy.Sanitize(clean))
			if err != nil {
				break
			}
			if next == clean {
				return clean
			}
			clean = next
		}
		// Markup that is different each time it is read is shown, not used.
		return "<p>" + escapeText(strings.Map(printable, text)) + "</p>"
	}
}

// printable drops characters that a reader of HTML drops or changes.
func printable(c rune) rune {
	if c < ' ' && c != '\n' && c != '\t' {
		return -1
	}
	return c
}

// tidy gives clean HTML the form that Odoo keeps.
func tidy(clean string) (string, error) {
	context := &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body}
	nodes, err := html.ParseFragment(strings.NewReader(clean), context)
	if err != nil {
		return "", err
	}
	root := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	for _, n := range nodes {
		root.AppendChild(n)
	}
	dropBlank(root)
	if root.FirstChild == nil {
		return "", nil
	}
	wrapText(root)
	var out strings.Builder
	inline := !hasBlock(root) && !onlyElement(root)
	if inline {
		out.WriteString("<span>")
	}
	renderChildren(&out, root)
	if inline {
		out.WriteString("</span>")
	}
	return out.String(), nil
}

// dropBlank drops the space in front.
func dropBlank(root *html.Node) {
	for n := root.FirstChild; n != nil && blank(n); n = root.FirstChild {
		root.RemoveChild(n)
	}
}

func blank(n *html.Node) bool {
	return n.Type == html.TextNode && strings.Trim(n.Data, " \t\r\n\f") == ""
}

// wrapText makes a paragraph of text in front and what follows it in the line.
func wrapText(root *html.Node) {
	if root.FirstChild.Type != html.TextNode {
		return
	}
	p := &html.Node{Type: html.ElementNode, Data: "p", DataAtom: atom.P}
	for n := root.FirstChild; n != nil && !isBlock(n); n = root.FirstChild {
		root.RemoveChild(n)
		p.AppendChild(n)
	}
	root.InsertBefore(p, root.FirstChild)
}

// isBlock says whether a node begins a line of its own.
func isBlock(n *html.Node) bool {
	const blocks = " address article aside blockquote caption center col colgroup dd details dir div dl dt figcaption figure " +
		"footer h1 h2 h3 h4 h5 h6 header hgroup hr li main menu nav ol p pre section summary table tbody td tfoot th thead tr ul "
	return n.Type == html.ElementNode && strings.Contains(blocks, " "+n.Data+" ")
}

// hasBlock says whether anything inside a node is a block of its own.
func hasBlock(parent *html.Node) bool {
	for n := range parent.Descendants() {
		if isBlock(n) {
			return true
		}
	}
	return false
}

// onlyElement says whether a node holds one element and no text beside it.
func onlyElement(parent *html.Node) bool {
	elements := 0
	for n := range parent.ChildNodes() {
		switch {
		case n.Type == html.ElementNode:
			elements++
		case !blank(n):
			return false
		}
	}
	return elements == 1
}

func renderChildren(out *strings.Builder, parent *html.Node) {
	for n := range parent.ChildNodes() {
		if n.Type != html.ElementNode {
			out.WriteString(escapeText(n.Data))
			continue
		}
		out.WriteString("<" + n.Data)
		for _, a := range n.Attr {
			if a.Key == "style" {
				a.Val = strings.ReplaceAll(a.Val, ": ", ":")
			}
			out.WriteString(" " + a.Key + `="` + escapeAttribute(a.Val) + `"`)
		}
		out.WriteString(">")
		switch n.Data {
		case "area", "br", "col", "hr", "img", "wbr": // have no end
			continue
		}
		if first := n.FirstChild; n.Data == "pre" && first != nil && first.Type == html.TextNode && strings.HasPrefix(first.Data, "\n") {
			out.WriteString("\n") // readers skip the first one
		}
		renderChildren(out, n)
		out.WriteString("</" + n.Data + ">")
	}
}

func escapeText(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\u00a0", "&nbsp;").Replace(s)
}

func escapeAttribute(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\u00a0", "&nbsp;").Replace(s)
}
