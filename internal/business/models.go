package business

import (
	"slices"

	"gatehouse/internal/record"
	"gatehouse/internal/schema"
)

// Models gives the built-in models. The engine brings the database to them.
func Models() []*schema.Model {
	return slices.Concat(
		registryModels(), baseModels(), attachmentModels(), partnerModels(), productModels(),
		taxModels(), sequenceModels(), fiscalModels(), pricelistModels(), paymentModels(), saleModels(), stockModels(), crmModels(),
	)
}

// Options are what the logic needs from outside.
type Options struct {
	// HashPassword makes what is stored of a password. The plain text is
	// stored nowhere.
	HashPassword func(plain string) (string, error)
}

// Logics gives what the built-in models do beyond storing values.
func Logics(opts Options) []record.Logic {
	return slices.Concat(
		baseLogics(), attachmentLogics(), userLogics(opts), partnerLogics(), productLogics(),
		irModelLogics(), currencyLogics(), taxLogics(), sequenceLogics(),
		fiscalLogics(), pricelistLogics(), paymentLogics(), saleLogics(), stockLogics(), crmLogics(),
	)
}
