package business

import (
	"fmt"
	"testing"

	"gatehouse/internal/fault"
	"gatehouse/internal/record"
)

func TestSequences(t *testing.T) {
	stories(t, map[string]func(s *shop){
		"01 by code": func(s *shop) {
			next := func(code string) any {
				s.Helper()
				out, err := s.engine.Call(s.Context(), s.admin.caller, "ir.sequence", "next_by_code", nil, vals{"sequence_code": code})
				if err != nil {
					s.Fatal(explain(err))
				}
				return out
			}
			expect := func(code string, want any) {
				s.Helper()
				if got := next(code); got != want {
					s.Errorf("%s: got %v, want %v", code, got, want)
				}
			}
			expect("sale.order", "S00001")
			expect("sale.order", "S00002")
			expect("nosuch", false)
			seq := s.admin.create("ir.sequence", vals{"name": "S", "code": "corpus.seq", "prefix": "C/", "padding": 4, "number_increment": 5, "implementation": "no_gap"})
			expect("corpus.seq", "C/0001")
			expect("corpus.seq", "C/0006")
			s.admin.sees("11 | 11", "ir.sequence", seq, "number_next", "number_next_actual")
			s.admin.write("ir.sequence", seq, vals{"number_next": 100, "suffix": "/x"})
			expect("corpus.seq", "C/0100/x")
			s.admin.write("ir.sequence", seq, vals{"active": false})
			expect("corpus.seq", false)
			s.admin.create("ir.sequence", vals{"name": "All", "code": "both", "prefix": "all", "company_id": false})
			expect("both", "all1")
			s.admin.create("ir.sequence", vals{"name": "Own", "code": "both", "prefix": "own"})
			expect("both", "own1")
			s.admin.refusedCreate(fault.Unprocessable, "Invalid prefix or suffix for sequence “Bad”: unknown placeholder %(yeer)s",
				"ir.sequence", vals{"name": "Bad", "prefix": "%(yeer)s"})
			s.admin.refusedCreate(fault.Unprocessable, "Step must not be zero", "ir.sequence", vals{"name": "Bad", "number_increment": 0})
			if got := s.admin.run("ir.sequence", "next_by_id", seq, nil); got != "C/0105/x" {
				s.Errorf("by id: %v", got)
			}
		},
		"02 by year": func(s *shop) {
			seq := s.admin.create("ir.sequence", vals{"name": "Y", "prefix": "Y%(range_year)s/", "padding": 3, "use_date_range": true})
			year := ""
			s.sudo(func(e *record.Env) error { year = e.Now().Format("2006"); return nil })
			for i := range 3 {
				if got, want := s.admin.run("ir.sequence", "next_by_id", seq, nil), fmt.Sprintf("Y%s/%03d", year, i+1); got != want {
					s.Errorf("got %v, want %s", got, want)
				}
			}
			s.admin.sees("1", "ir.sequence", seq, "number_next")
			ranges := s.admin.find("ir.sequence.date_range", leaf("sequence_id", "=", seq))
			s.admin.sees(year+"-01-01 | "+year+"-12-31 | 4", "ir.sequence.date_range", ranges[0], "date_from", "date_to", "number_next")
		},
		"03 many at once": func(s *shop) {
			seq := s.admin.create("ir.sequence", vals{"name": "R", "use_date_range": true})
			taken := make(chan string, 40)
			s.together(make([]int64, cap(taken)), func(int64) error {
				n, err := s.engine.Call(s.Context(), s.admin.caller, "ir.sequence", "next_by_id", []int64{seq}, nil)
				taken <- fmt.Sprint(n)
				return err
			})
			close(taken)
			seen := map[string]bool{}
			for n := range taken {
				if seen[n] {
					s.Errorf("the number %s was given twice", n)
				}
				seen[n] = true
			}
			for i := range 40 {
				if !seen[fmt.Sprint(i+1)] {
					s.Errorf("the number %d was skipped", i+1)
				}
			}
		},
		"04 nothing is lost when a change fails": func(s *shop) {
			first := s.admin.create("sale.order", vals{"partner_id": s.customer})
			s.admin.refusedCreate(fault.BadRequest, "state", "sale.order", vals{"partner_id": s.customer, "state": "nosuch"})
			s.admin.refusedCreate(fault.Unprocessable, "Forbidden values", "sale.order", vals{
				"partner_id": s.customer,
				"order_line": []any{line(vals{"display_type": "line_note", "name": "n", "product_id": s.widget})},
			})
			second := s.admin.create("sale.order", vals{"partner_id": s.customer})
			var a, b int
			_, _ = fmt.Sscanf(s.admin.read("sale.order", first, "name")+" "+s.admin.read("sale.order", second, "name"), "S%d S%d", &a, &b)
			if b != a+1 {
				s.Errorf("order %d follows order %d", b, a)
			}
		},
	})
}
