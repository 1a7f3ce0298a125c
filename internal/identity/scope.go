package identity

import (
	"slices"
	"strings"

	"gatehouse/internal/fault"
)

// Action is what a route does, in the words of the scopes.
type Action string

// The actions. Admin is for the endpoints of administrators alone.
const (
	Read   Action = "read"
	Write  Action = "write"
	Delete Action = "delete"
	Admin  Action = "admin"
)

// Need is what a route asks of a credential. Model is the model it works on,
// "" for none. Resource is set on curated routes (orders, products, …) only,
// because a resource scope grants nothing else.
type Need struct {
	Action   Action
	Model    string
	Resource string
}

// String names the scope that a caller lacks: the resource's own for curated
// routes, where write covers delete, and the plain action for all others.
func (n Need) String() string {
	switch {
	case n.Action == Admin || n.Resource == "":
		return string(n.Action)
	case n.Action == Delete:
		return n.Resource + "_write"
	default:
		return n.Resource + "_" + string(n.Action)
	}
}

// Scopes is what a credential may do at most; the rights of its user come on
// top. The zero value allows nothing. Scopes are immutable and may be shared.
type Scopes struct {
	// The four words that cover every model and resource.
	read, write, delete, admin bool

	rules []scopeRule
	words []string // as written, sorted, without repetition
}

// scopeRule is a scope of one resource or of the models that match.
type scopeRule struct {
	resource string // "" for models
	model    string // whole name, or the part before "*"
	wildcard bool
	action   Action
}

// maxScopes bounds the number of words, because all are looked at in turn.
const maxScopes = 100

// AllScopes is what a user's own token has: everything, so that only the
// user's rights decide.
func AllScopes() Scopes { return Scopes{admin: true, words: []string{string(Admin)}} }

// ParseScopes reads scopes separated by commas or spaces:
//
//	read, write, delete     every model and resource
//	admin                   everything, the administrators' endpoints included
//	orders_read             reading a curated resource
//	orders_write            changing and deleting it
//	res.partner:read        one model; also :write and :delete
//	sale.*:write            all models whose name starts so; * is every model
//
// A word that is none of these is a fault.BadRequest that names it. Whether a
// resource exists is not known here: see Scopes.Resources.
func ParseScopes(text string) (Scopes, error) {
	words := scopeWords(text)
	if len(words) == 0 {
		return Scopes{}, fault.New(fault.BadRequest, "At least one scope is needed; "+allowedScopes)
	}
	if len(words) > maxScopes {
		return Scopes{}, fault.Newf(fault.BadRequest, "More than %d scopes", maxScopes)
	}
	s := Scopes{words: make([]string, 0, len(words))}
	for _, word := range words {
		if !s.add(word) {
			return Scopes{}, fault.Newf(fault.BadRequest, "Unknown scope: %.100s; %s", word, allowedScopes)
		}
		s.words = append(s.words, strings.Clone(word))
	}
	return s, nil
}

// scopeWords splits scopes, sorted and without repetition.
func scopeWords(text string) []string {
	words := strings.FieldsFunc(text, func(r rune) bool {
		return r == ',' || r == ' ' || r == '\t' || r == '\n' || r == '\r'
	})
	slices.Sort(words)
	return slices.Compact(words)
}

// allowedScopes ends the messages about scopes that are not understood.
const allowedScopes = "allowed are read, write, delete, admin, " +
	"products_read, products_write, orders_read, orders_write, customers_read, customers_write " +
	"(or another resource's), and models like res.partner:read, sale.*:write, *:delete"

// add takes a word in; false when it is no scope.
func (s *Scopes) add(word string) bool {
	switch Action(word) {
	case Read:
		s.read = true
		return true
	case Write:
		s.write = true
		return true
	case Delete:
		s.delete = true
		return true
	case Admin:
		s.admin = true
		return true
	}
	var rule scopeRule
	var action string
	if model, after, ok := strings.Cut(word, ":"); ok {
		action = after
		rule.model, rule.wildcard = strings.CutSuffix(model, "*")
		if !isModelPattern(rule.model, rule.wildcard) || action == string(Admin) {
			return false
		}
	} else {
		at := strings.LastIndexByte(word, '_')
		if at < 0 || !isResourceName(word[:at]) {
			return false
		}
		rule.resource, action = word[:at], word[at+1:]
		if action == string(Delete) {
			return false // write covers it
		}
	}
	rule.action = Action(action)
	if rule.action != Read && rule.action != Write && rule.action != Delete {
		return false
	}
	s.rules = append(s.rules, rule)
	return true
}

// isResourceName takes what a curated resource may be called.
func isResourceName(name string) bool {
	if name == "" || len(name) > 64 || name[0] < 'a' || name[0] > 'z' {
		return false
	}
	for i := range len(name) {
		if c := name[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// isModelPattern takes a model's name, or the start of one that ends at a dot.
// (sale* would cover sales.secret too: it is easier to write than to mean.)
func isModelPattern(name string, wildcard bool) bool {
	if wildcard {
		if name == "" {
			return true
		}
		var dot bool
		if name, dot = strings.CutSuffix(name, "."); !dot {
			return false
		}
	}
	if len(name) > 128 {
		return false
	}
	for part := range strings.SplitSeq(name, ".") {
		if !isResourceName(part) || strings.Contains(part, "-") {
			return false
		}
	}
	return true
}

// Allows says whether the scopes cover a need. It allocates nothing.
//
// A scope of a model covers that model's curated resource too, which shows
// less of it. Writing a model does not include deleting; writing a resource does.
func (s Scopes) Allows(need Need) bool {
	if s.admin {
		return true
	}
	switch need.Action {
	case Read:
		if s.read {
			return true
		}
	case Write:
		if s.write {
			return true
		}
	case Delete:
		if s.delete {
			return true
		}
	default:
		return false
	}
	for i := range s.rules {
		if s.rules[i].covers(need) {
			return true
		}
	}
	return false
}

// Cut gives those of the scopes asked for that s covers as a whole, in the
// words in which they were asked. Words that are no scopes are left out: nobody
// has them. The zero Scopes when none is left.
func (s Scopes) Cut(asked string) Scopes {
	words := scopeWords(asked)
	if len(words) > maxScopes {
		words = words[:maxScopes]
	}
	var cut Scopes
	for _, word := range words {
		var one Scopes
		if one.add(word) && s.includes(&one) {
			cut.add(word)
			cut.words = append(cut.words, strings.Clone(word))
		}
	}
	return cut
}

// IsZero says whether nothing is allowed.
func (s Scopes) IsZero() bool { return len(s.words) == 0 }

// includes says whether s allows all that a single scope does.
func (s *Scopes) includes(one *Scopes) bool {
	switch {
	case s.admin:
		return true
	case one.admin:
		return false
	case one.read:
		return s.read
	case one.write:
		return s.write
	case one.delete:
		return s.delete
	}
	rule := &one.rules[0]
	broad := map[Action]bool{Read: s.read, Write: s.write, Delete: s.delete}[rule.action]
	if rule.resource != "" && rule.action == Write {
		broad = broad && s.delete // writing a resource covers deleting
	}
	return broad || slices.ContainsFunc(s.rules, func(r scopeRule) bool { return r.includes(rule) })
}

func (r *scopeRule) includes(other *scopeRule) bool {
	if r.action != other.action || r.resource != other.resource {
		return false
	}
	return *r == *other || r.resource == "" && r.wildcard && strings.HasPrefix(other.model, r.model)
}

func (r *scopeRule) covers(need Need) bool {
	if r.resource != "" {
		return r.resource == need.Resource &&
			(r.action == need.Action || r.action == Write && need.Action == Delete)
	}
	if r.action != need.Action || need.Model == "" {
		return false
	}
	if r.wildcard {
		return strings.HasPrefix(need.Model, r.model)
	}
	return r.model == need.Model
}

// String gives the scopes, sorted and separated by spaces, as RFC 6749 section
// 3.3 writes them; ParseScopes reads it back.
func (s Scopes) String() string { return strings.Join(s.words, " ") }

// Resources names the curated resources that the scopes speak of, sorted, so
// that a misspelt one can be found where the resources are known.
func (s Scopes) Resources() []string {
	var names []string
	for _, r := range s.rules {
		if r.resource != "" {
			names = append(names, r.resource)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
