package record

import (
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
)

// CheckRule refuses the text of a record rule that could not be applied: it
// would shut everybody out of its model, whoever could mend it included. A
// model made in the same transaction is not known yet and is not looked at.
func (e *Env) CheckRule(model, text string) error {
	rule, err := domain.ParseRule(text, domain.Limits{})
	if err == nil && e.st.reg.Model(model) != nil {
		c := e.compiler()
		f := c.from(e.st.reg.Model(model))
		var node domain.Node
		if node, err = rule.Eval(c.lookup); err == nil {
			_, err = f.sudo(func() (string, error) { return f.where(node) })
		}
	}
	if err == nil {
		return nil
	}
	why := err.Error()
	if f := fault.From(err); f.Kind != fault.Internal {
		why = f.Message
	}
	return fault.Newf(fault.Unprocessable, "Invalid domain: %s", why).
		With(fault.FieldErrors{"domain_force": why}).Because(err)
}
