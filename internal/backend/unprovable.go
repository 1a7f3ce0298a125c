package backend

import "gatehouse/internal/fault"

// Reason says why an engine cannot promise to answer exactly as Odoo would.
type Reason string

// The reasons.
const (
	NotStored       Reason = "a computed field that is not stored"
	UnknownModel    Reason = "a model that unknown modules extend, or without a table"
	UnknownField    Reason = "a field of an unknown module, or without a column"
	PythonName      Reason = "a display name that code makes"
	PythonNames     Reason = "a search by name that code makes"
	PythonSearch    Reason = "a search that code changes"
	PythonAccess    Reason = "rights that code decides"
	PythonDomain    Reason = "lines that code chooses"
	PythonAttribute Reason = "an attribute of a field that only code knows"
	RuleLanguage    Reason = "a record rule outside the rule language"
	ContextKey      Reason = "a context key that changes the answer"
	ValueShape      Reason = "a value that only code can form"
	CodeDefault     Reason = "a default that code computes"
	OpenOrder       Reason = "an order that is left to the database"
	UnknownMethod   Reason = "a method of the model's code"
	Changes         Reason = "a change of records, which Odoo's own code makes"
)

// UnprovableError is the planner's verdict that only Odoo's own code is sure to
// give a question its answer. It is the cause of the fault that the caller gets;
// whoever has an Odoo at hand asks that instead.
type UnprovableError struct {
	Reason  Reason
	Subject string // the model, field, rule or key
	Detail  string // more, where there is more
}

// Error gives reason and subject.
func (u *UnprovableError) Error() string {
	text := "not provable: " + string(u.Reason) + ": " + u.Subject
	if u.Detail != "" {
		text += " (" + u.Detail + ")"
	}
	return text
}

// CannotProve makes the fault of such a verdict.
func CannotProve(reason Reason, subject, detail string) error {
	return fault.Newf(fault.BadRequest, "%s cannot be answered here: it depends on %s", subject, string(reason)).
		Because(&UnprovableError{reason, subject, detail})
}
