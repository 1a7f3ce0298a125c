package traffic

import (
	"context"
	"strconv"
	"strings"

	"gatehouse/internal/sqldb"
)

// findings is what the rollups say to a question.
type findings struct {
	span   span
	only   []class // that count
	caller string  // or everybody

	series    map[int64]*counts
	total     counts
	endpoints []endpointSum
	ips       []IPCount
	sketch    sketch
	callers   []callerSum // of all classes, the most active first
	// moreCallers are those beyond the list.
	moreCallers int64
}

type (
	endpointSum struct {
		name      string
		n, micros int64
	}
	// callerSum has all requests of a caller, and those of the classes asked for.
	callerSum struct {
		id              string
		total, matching int64
	}
)

// sumOf adds up the columns of the classes that count.
func (f *findings) sumOf(prefix string) string {
	names := make([]string, len(f.only))
	for i, class := range f.only {
		names[i] = prefix + classNames[class]
	}
	return strings.Join(names, " + ")
}

// read asks the rollups.
func (f *findings) read(ctx context.Context, q sqldb.Querier) error {
	const place = ` where level = $1 and caller = $2 and at >= $3 and at < $4`
	args := []any{int64(f.span.level), f.caller, f.span.from, f.span.to}
	f.series, f.ips = map[int64]*counts{}, []IPCount{}
	columns := strings.Join(append(append(classColumns("n"), classColumns("us")...), classColumns("out")...), ", ")
	return q.Batch(ctx, []sqldb.Stmt{
		{SQL: `select at, ` + columns + ` from gateway_traffic` + place, Args: args, Sure: true, Each: func(r sqldb.Row) error {
			c := &counts{}
			for i := range c {
				c[i].n, c[i].micros, c[i].out = r.Int(1+i), r.Int(1+int(classes)+i), r.Int(1+2*int(classes)+i)
			}
			f.series[r.Int(0)] = c
			f.total.add(c)
			return nil
		}},
		{
			SQL: `select endpoint, sum(` + f.sumOf("n") + `) as requests, sum(` + f.sumOf("us") + `) from gateway_traffic_endpoint` + place + `
				group by endpoint having sum(` + f.sumOf("n") + `) > 0 order by requests desc, endpoint`,
			Args: args, Each: func(r sqldb.Row) error {
				f.endpoints = append(f.endpoints, endpointSum{r.Text(0), r.Int(1), r.Int(2)})
				return nil
			},
		},
		{
			SQL: `select ip, sum(` + f.sumOf("n") + `) as requests from gateway_traffic_ip` + place + `
				group by ip having sum(` + f.sumOf("n") + `) > 0 order by requests desc, ip limit ` + strconv.Itoa(topAddresses),
			Args: args, Each: func(r sqldb.Row) error {
				f.ips = append(f.ips, IPCount{r.Text(0), r.Int(1)})
				return nil
			},
		},
		{SQL: `select class, latency, ips from gateway_traffic_sketch` + place, Args: args, Each: func(r sqldb.Row) error {
			for _, class := range f.only {
				if r.Int(0) == int64(class) {
					f.sketch.latency.addEncoded(r.Bytes(1))
					f.sketch.ips.addEncoded(r.Bytes(2))
				}
			}
			return nil
		}},
		{
			SQL: `select caller, sum(` + strings.Join(classColumns("n"), " + ") + `) as requests, sum(` + f.sumOf("n") + `) from gateway_traffic
				where level = $1 and caller <> '*' and at >= $2 and at < $3 group by caller order by requests desc, caller`,
			Args: []any{args[0], args[2], args[3]}, Each: f.addCaller,
		},
	})
}

func (f *findings) addCaller(r sqldb.Row) error {
	c := callerSum{r.Text(0), r.Int(1), r.Int(2)}
	if len(f.callers) < maxCallers {
		f.callers = append(f.callers, c)
	} else if c.matching > 0 && c.id != Anonymous && (f.caller == everybody || f.caller == c.id) {
		f.moreCallers++
	}
	return nil
}

func (f *findings) callerIDs() []string {
	ids := make([]string, len(f.callers))
	for i, c := range f.callers {
		ids[i] = c.id
	}
	return ids
}
