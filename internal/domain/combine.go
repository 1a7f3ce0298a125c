package domain

// Conj joins nodes with AND: nested Ands are flattened, constants folded. No
// nodes at all give Const(true). The arguments are not changed or kept.
func Conj(nodes ...Node) Node {
	flat := make(And, 0, len(nodes))
	for _, node := range nodes {
		switch node := node.(type) {
		case nil:
			return Const(false)
		case Const:
			if !node {
				return Const(false)
			}
		case And:
			flat = append(flat, node...)
		default:
			flat = append(flat, node)
		}
	}
	switch len(flat) {
	case 0:
		return Const(true)
	case 1:
		return flat[0]
	}
	return flat
}

// Disj joins nodes with OR: nested Ors are flattened, constants folded. No
// nodes at all give Const(false). The arguments are not changed or kept.
func Disj(nodes ...Node) Node {
	flat := make(Or, 0, len(nodes))
	for _, node := range nodes {
		switch node := node.(type) {
		case nil:
		case Const:
			if node {
				return Const(true)
			}
		case Or:
			flat = append(flat, node...)
		default:
			flat = append(flat, node)
		}
	}
	switch len(flat) {
	case 0:
		return Const(false)
	case 1:
		return flat[0]
	}
	return flat
}

// Neg negates a node: a double negation falls away, a constant is turned. It
// does not move the negation inward; what that means depends on field types.
func Neg(n Node) Node {
	switch n := n.(type) {
	case nil:
		return Const(false)
	case Const:
		return !n
	case Not:
		return n.Child
	}
	return Not{n}
}

// Normal brings a tree built by hand into the normal form of the package.
func Normal(n Node) Node {
	switch n := n.(type) {
	case And:
		return Conj(normals(n)...)
	case Or:
		return Disj(normals(n)...)
	case Not:
		if n.Child != nil {
			return Neg(Normal(n.Child))
		}
	case Const:
		return n
	case *Leaf:
		sub, ok := n.Value.(Node)
		if !ok {
			return n
		}
		leaf := *n
		leaf.Value = Normal(sub)
		return &leaf
	}
	return Const(false)
}

func normals(nodes []Node) []Node {
	out := make([]Node, len(nodes))
	for i, n := range nodes {
		out[i] = Normal(n)
	}
	return out
}
