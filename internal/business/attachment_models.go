package business

import s "gatehouse/internal/schema"

// attachmentModels hold files.
func attachmentModels() []*s.Model { return []*s.Model{attachmentModel()} }

// attachmentModel is Odoo's ir.attachment. The bytes are in db_datas, in the row
// itself; datas and raw are other names of them.
func attachmentModel() *s.Model {
	name := s.NewChar("res_name", "Resource Name").ComputedSQL("{attached}")
	name.ShownOnly = true
	record := &s.Field{Name: "res_id", Label: "Resource ID", Type: s.Many2oneReference, Store: true, Copied: true, Scale: -1}
	return &s.Model{
		Name: "ir.attachment", Label: "Attachment", Order: "id desc", ByRecord: true,
		Fields: []*s.Field{
			s.NewChar("name", "Name").Req(),
			s.NewText("description", "Description"),
			name,
			s.NewChar("res_model", "Resource Model"),
			s.NewChar("res_field", "Resource Field"),
			record,
			s.NewMany2one("company_id", "Company", "res.company"),
			s.NewSelection("type", "Type", "url", "URL", "binary", "File").Req().Def("binary").
				Helped("You can either upload a file from your computer or copy/paste an internet link to your file."),
			s.NewChar("url", "Url").MaxSize(1024),
			s.NewBoolean("public", "Is public document"),
			s.NewChar("access_token", "Access Token").For(groupUser).NoCopy(),
			sameBytes("raw", "File Content (raw)"),
			sameBytes("datas", "File Content (base64)"),
			s.NewBytes("db_datas", "Database Data", "name"),
			s.NewChar("store_fname", "Stored Filename").RO().NoCopy(),
			s.NewInteger("file_size", "File Size").RO().NoCopy(),
			s.NewChar("checksum", "Checksum/SHA1").RO().NoCopy().MaxSize(40),
			s.NewChar("mimetype", "Mime Type").RO(),
		},
		Indexes: []s.Index{{Name: "res_idx", Columns: []string{"res_model", "res_id"}}},
	}
}

// sameBytes is another name of db_datas.
func sameBytes(name, label string) *s.Field {
	f := s.NewBytes(name, label, "name").RelatedTo("db_datas")
	f.Readonly = false
	return f
}
