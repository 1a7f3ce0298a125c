package httpapi

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"

	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi/wire"
	"gatehouse/internal/identity"
	"gatehouse/internal/schema"
)

// The model that holds files of their own, and its field with the bytes.
const (
	attachmentModel = "ir.attachment"
	attachmentBytes = "datas"
)

// uploadPath is behind the path of the model.
const uploadPath = "/upload"

// maxForm is the number of parts that a form has at most.
const maxForm = 1000

// uploadRoutes make attachments of files as a form in a browser, or curl -F, sends them.
func (s *Server) uploadRoutes() []Route {
	file := (&wire.Schema{Type: "string", Doc: "A file. Several make an attachment each."}).As("binary")
	return []Route{{
		Method: "POST", Pattern: "/api/v1/" + attachmentModel + uploadPath, Model: attachmentModel,
		Access: Scoped, Action: identity.Write, Limiting: Counted,
		Params: append([]Param{fieldsParam(), valuesParam()}, contextParams()...), handler: with(s.readFiles, s.upload),
		Summary: "Makes attachments of files in a form", Input: "a form (multipart/form-data): files, and the fields that all of them get",
		Output: "the id, or a list of ids; with fields= these fields too",
		Doc: Doc{
			ID: "uploadAttachments", Tag: TagRecords, BodyType: "multipart/form-data",
			Body: wire.Object(wire.Must("file", file), wire.May("res_model", wire.Text("The model of the record to attach them to.").Like("res.partner")),
				wire.May("res_id", wire.Text("The id of that record.").Like("7"))).Open("Another field of the attachments."),
			Data: oneOrSeveral(SchemaRecord), Statuses: []int{http.StatusCreated}, Tells: []string{"Location"},
		},
	}}
}

// formInput is a form with files.
type formInput struct {
	fields map[string]string
	files  []formFile
	params
}

// formFile is a file in a form.
type formFile struct {
	name  string
	bytes []byte
}

func (s *Server) readFiles(c *call) (formInput, error) {
	in := formInput{fields: map[string]string{}, params: c.params}
	kind, attributes, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	boundary := attributes["boundary"]
	if err != nil || kind != "multipart/form-data" || boundary == "" {
		return in, fault.New(fault.UnsupportedMedia, "Content-Type must be multipart/form-data with a boundary")
	}
	if coding := c.r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return in, fault.New(fault.UnsupportedMedia, "Content-Encoding "+wire.Name(coding)+" is not understood: send the form as it is")
	}
	if err := s.receiveUpTo(c, max(s.deps.MaxUpload, s.deps.MaxBody)); err != nil {
		return in, err
	}
	if err := in.read(multipart.NewReader(bytes.NewReader(c.body), boundary)); err != nil {
		return in, err
	}
	if len(in.files) == 0 {
		return in, fault.New(fault.BadRequest, "The form has no file: a part with a filename, as curl -F file=@offer.pdf sends it")
	}
	// A form that is sent again has another boundary, and is the same.
	c.body = bytes.ReplaceAll(c.body, []byte(boundary), nil)
	return in, nil
}

// read takes the parts of a form apart.
func (in *formInput) read(form *multipart.Reader) error {
	for n := 0; ; n++ {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if n == maxForm {
			return fault.Newf(fault.BadRequest, "The form has more than %d parts", maxForm)
		}
		var content []byte
		if err == nil {
			content, err = io.ReadAll(part)
		}
		if err != nil {
			return fault.New(fault.BadRequest, "The body is not a whole multipart/form-data form").Because(err)
		}
		name := part.FormName()
		_, again := in.fields[name]
		switch {
		case part.FileName() != "":
			in.files = append(in.files, formFile{part.FileName(), content})
		case name == "" || again:
			return fault.New(fault.BadRequest, "The form has two parts with the name "+wire.Name(name)+", or one without a name")
		default:
			in.fields[name] = string(content)
		}
	}
}

// upload makes an attachment of each file.
func (s *Server) upload(c *call, in formInput) (reply, error) {
	m, err := s.deps.Backend.Model(c.ctx, c.caller, attachmentModel)
	if err != nil {
		return reply{}, err
	}
	common := make(map[string]any, len(in.fields)+2)
	for name, text := range in.fields {
		common[name] = formValue(m.Field(name), text)
	}
	create := createInput{model: attachmentModel, bulk: len(in.files) > 1, params: in.params}
	for _, file := range in.files {
		object := maps.Clone(common)
		if _, named := object["name"]; !named {
			object["name"] = file.name
		}
		object[attachmentBytes] = base64.StdEncoding.EncodeToString(file.bytes)
		create.objects = append(create.objects, object)
	}
	return s.createRecords(c, create)
}

// formValue is the value that the text in a form stands for.
func formValue(f *schema.Field, text string) any {
	switch {
	case f == nil:
		return text
	case text == "":
		return nil
	}
	switch f.Type {
	case schema.Boolean:
		if text == "true" || text == "false" {
			return text == "true"
		}
	case schema.Integer, schema.Many2one, schema.Many2oneReference:
		return json.Number(text)
	}
	return text
}
