// Command goclient makes, reads, changes and deletes records of a running
// Gatehouse through a client that oapi-codegen made of its API document. The
// end-to-end tests put the generated code beside it; GATEHOUSE is the address
// of the server and KEY an API key.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"github.com/oapi-codegen/runtime/types"
)

func main() {
	if err := run(context.Background(), os.Getenv("GATEHOUSE"), os.Getenv("KEY")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, server, key string) error {
	api, err := NewClientWithResponses(server, WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.Header.Set("X-API-Key", key)
		return nil
	}))
	if err != nil {
		return err
	}
	if err := records(ctx, api); err != nil {
		return fmt.Errorf("records of a model: %w", err)
	}
	if err := customers(ctx, api); err != nil {
		return fmt.Errorf("customers: %w", err)
	}
	return nil
}

// records goes through the life of a record of any model.
func records(ctx context.Context, api *ClientWithResponses) error {
	var body CreateRecordsResPartnerJSONRequestBody
	if err := body.FromResPartnerCreate(ResPartnerCreate{Name: to("Acme of Go"), IsCompany: to(true)}); err != nil {
		return err
	}
	created, err := api.CreateRecordsResPartnerWithResponse(ctx, nil, body)
	if err != nil || created.JSON201 == nil {
		return fmt.Errorf("create: %w %s", err, created.Body)
	}
	made, err := created.JSON201.Data.AsResPartner()
	if err != nil {
		return err
	}
	id := int32(made.Id)
	changed, err := api.UpdateRecordResPartnerWithResponse(ctx, id, &UpdateRecordResPartnerParams{Fields: to("name,phone")},
		ResPartnerUpdate{Phone: to("+32 2 555 01 23")})
	if err != nil || changed.JSON200 == nil || *changed.JSON200.Data.Phone != "+32 2 555 01 23" {
		return fmt.Errorf("update: %w %s", err, changed.Body)
	}
	read, err := api.GetRecordResPartnerWithResponse(ctx, id, nil)
	if err != nil || read.JSON200 == nil || *read.JSON200.Data.Name != "Acme of Go" || !*read.JSON200.Data.IsCompany {
		return fmt.Errorf("read: %w %s", err, read.Body)
	}
	found, err := api.ListRecordsResPartnerWithResponse(ctx, &ListRecordsResPartnerParams{Domain: to("[('name','=','Acme of Go')]")})
	if err != nil || found.JSON200 == nil || len(found.JSON200.Data) != 1 || found.JSON200.Meta.Count != 1 {
		return fmt.Errorf("list: %w %s", err, found.Body)
	}
	if deleted, err := api.DeleteRecordResPartnerWithResponse(ctx, id, nil); err != nil || deleted.JSON200 == nil {
		return fmt.Errorf("delete: %w %s", err, deleted.Body)
	}
	gone, err := api.GetRecordResPartnerWithResponse(ctx, id, nil)
	if err != nil || gone.JSON404 == nil || gone.JSON404.Error.Type != NotFound {
		return fmt.Errorf("read what is gone: %w %s", err, gone.Body)
	}
	return nil
}

// customers goes through the life of an object of a curated resource.
func customers(ctx context.Context, api *ClientWithResponses) error {
	var body CreateCustomersJSONRequestBody
	if err := body.FromCustomerCreate(CustomerCreate{Name: "Ann of Go", Email: to(types.Email("ann@go.example"))}); err != nil {
		return err
	}
	created, err := api.CreateCustomersWithResponse(ctx, nil, body)
	if err != nil || created.JSON201 == nil {
		return fmt.Errorf("create: %w %s", err, created.Body)
	}
	made, err := created.JSON201.Data.AsCustomer()
	if err != nil {
		return err
	}
	id := int32(made.Id)
	changed, err := api.UpdateCustomerWithResponse(ctx, id, nil, CustomerUpdate{City: to("Ghent")})
	if err != nil || changed.JSON200 == nil || *changed.JSON200.Data.City != "Ghent" {
		return fmt.Errorf("update: %w %s", err, changed.Body)
	}
	deleted, err := api.DeleteCustomerWithResponse(ctx, id, nil)
	if err != nil || deleted.JSON200 == nil {
		return fmt.Errorf("delete: %w %s", err, deleted.Body)
	}
	return nil
}

func to[T any](v T) *T { return &v }
