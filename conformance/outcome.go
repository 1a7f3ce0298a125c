package main

// Verdict says how an answer compares with the recorded one.
type Verdict string

// The verdicts.
const (
	// Same: the same result, or the same kind of error.
	Same Verdict = "same"
	// NotProvable: the engine refuses to promise Odoo's answer.
	NotProvable Verdict = "not provable"
	// Wrong: another answer than Odoo's.
	Wrong Verdict = "wrong"
	// NotHere: the database has no such model, field or method.
	NotHere Verdict = "not here"
)

// Outcome is what became of one recorded case.
type Outcome struct {
	Topic, ID string
	Verdict   Verdict
	Reason    string // short, the same for like cases
	Detail    string // what exactly differs, for reading
}
