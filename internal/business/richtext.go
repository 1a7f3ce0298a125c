package business

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// mostPasses bounds how often a text is cleaned until it stays as it is.
const mostPasses = 6

// SanitizeHTML makes rich text safe and tidy, as Odoo's html fields do: what
// could run in a browser is gone, open tags are closed, and text that stands
// alone becomes a paragraph. What it gives stays as it is when it is cleaned
// again.
func SanitizeHTML(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	clean := text
	for range mostPasses {
		next, err := sanitizeOnce(clean)
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

// printable drops characters that a reader of HTML drops or changes.
func printable(c rune) rune {
	if c < ' ' && c != '\n' && c != '\t' {
		return -1
	}
	return c
}

func sanitizeOnce(text string) (string, error) {
	context := &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body}
	nodes, err := html.ParseFragment(strings.NewReader(text), context)
	if err != nil {
		return "", err
	}
	root := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	emptied := false
	for _, n := range nodes {
		emptied = emptied || embedded[n.Data]
		root.AppendChild(n)
	}
	cleanChildren(root)
	dropBlank(root)
	if root.FirstChild == nil {
		if emptied {
			return "<div></div>", nil
		}
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

// cleanChildren takes out of a node what is not allowed: some elements with
// all that they hold, unknown ones without it.
func cleanChildren(parent *html.Node) {
	for n := parent.FirstChild; n != nil; {
		next := n.NextSibling
		switch {
		case n.Type == html.TextNode:
		case n.Type != html.ElementNode || n.Namespace != "" || killed[n.Data] || embedded[n.Data]:
			parent.RemoveChild(n)
		case !allowed[n.Data]:
			if first := n.FirstChild; first != nil {
				next = first
			}
			unwrap(n)
		default:
			n.Attr = cleanAttributes(n.Data, n.Attr)
			cleanChildren(n)
		}
		n = next
	}
}

// unwrap puts a node's children in its place.
func unwrap(n *html.Node) {
	for child := n.FirstChild; child != nil; child = n.FirstChild {
		n.RemoveChild(child)
		n.Parent.InsertBefore(child, n)
	}
	n.Parent.RemoveChild(n)
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

func isBlock(n *html.Node) bool { return n.Type == html.ElementNode && blocks[n.Data] }

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
		if n.Type == html.TextNode {
			out.WriteString(escapeText(n.Data))
			continue
		}
		out.WriteString("<" + n.Data)
		for _, a := range n.Attr {
			out.WriteString(" " + a.Key + `="` + escapeAttribute(a.Val) + `"`)
		}
		out.WriteString(">")
		if voids[n.Data] {
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
