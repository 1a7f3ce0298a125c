package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// results are the outcomes of a whole run.
type results struct {
	reads  []Outcome
	stored []Outcome // those of the reads that touch stored fields only
	// By store: the reads about the corpus' own models on the embedded database,
	// and the writes.
	embedded, writes map[string][]Outcome
}

// tally counts verdicts.
type tally map[Verdict]int

func (t tally) total() int {
	n := 0
	for _, k := range t {
		n += k
	}
	return n
}

// share is how many of the cases were answered the same, in percent.
func (t tally) share() float64 {
	return 100 * float64(t[Same]) / float64(max(1, t.total()-t[NotHere]))
}

func count(outcomes []Outcome) tally {
	t := tally{}
	for _, o := range outcomes {
		t[o.Verdict]++
	}
	return t
}

// byTopic sorts outcomes into topics, whose names come sorted.
func byTopic(outcomes []Outcome) (topics []string, by map[string][]Outcome) {
	by = map[string][]Outcome{}
	for _, o := range outcomes {
		if by[o.Topic] == nil {
			topics = append(topics, o.Topic)
		}
		by[o.Topic] = append(by[o.Topic], o)
	}
	slices.Sort(topics)
	return topics, by
}

// table prints the verdicts by topic.
func table(w *strings.Builder, outcomes []Outcome, verdicts ...Verdict) {
	header, rule := "| topic | cases |", "|---|---:|"
	for _, v := range verdicts {
		header += " " + string(v) + " |"
		rule += "---:|"
	}
	fmt.Fprintf(w, "%s\n%s\n", header, rule)
	row := func(name string, t tally) {
		fmt.Fprintf(w, "| %s | %d |", name, t.total())
		for _, v := range verdicts {
			fmt.Fprintf(w, " %d |", t[v])
		}
		w.WriteByte('\n')
	}
	topics, by := byTopic(outcomes)
	for _, topic := range topics {
		row(topic, count(by[topic]))
	}
	row("**all**", count(outcomes))
}

// reason is why some cases were not the same.
type reason struct {
	text     string
	count    int
	subjects []string // what it was about, most frequent first
}

// reasons counts why cases got a verdict, most frequent first.
func reasons(outcomes []Outcome, v Verdict) []reason {
	counts, subjects := map[string]int{}, map[string]map[string]int{}
	for _, o := range outcomes {
		if o.Verdict != v {
			continue
		}
		counts[o.Reason]++
		if subjects[o.Reason] == nil {
			subjects[o.Reason] = map[string]int{}
		}
		subjects[o.Reason][o.Detail]++
	}
	var list []reason
	for text, n := range counts {
		list = append(list, reason{text, n, frequent(subjects[text])})
	}
	slices.SortFunc(list, func(a, b reason) int { return cmp.Or(b.count-a.count, cmp.Compare(a.text, b.text)) })
	return list
}

// frequent sorts by count.
func frequent(counts map[string]int) []string {
	var names []string
	for name := range counts {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(counts[b]-counts[a], cmp.Compare(a, b)) })
	return names
}

func reasonTable(w *strings.Builder, outcomes []Outcome, v Verdict) {
	const most = 6
	fmt.Fprintf(w, "| cases | %s because of | for example |\n|---:|---|---|\n", v)
	for _, r := range reasons(outcomes, v) {
		some := r.subjects[:min(most, len(r.subjects))]
		fmt.Fprintf(w, "| %d | %s | %s |\n", r.count, r.text, strings.Join(some, ", "))
	}
}

// printAll prints what a run found, for reading at a terminal.
func printAll(w *strings.Builder, r *results, show int) {
	fmt.Fprintf(w, "Reads on the recorded database\n\n")
	table(w, r.reads, Same, NotProvable, Wrong)
	fmt.Fprintf(w, "\nThe same: %.1f %%; of those that touch stored fields only: %.1f %% of %d\n\n",
		count(r.reads).share(), count(r.stored).share(), len(r.stored))
	reasonTable(w, r.reads, NotProvable)
	for _, store := range []string{"sqlite", "postgres"} {
		if len(r.embedded[store]) > 0 {
			fmt.Fprintf(w, "\nReads on the embedded database, %s\n\n", store)
			table(w, r.embedded[store], Same, NotProvable, NotHere, Wrong)
		}
		if len(r.writes[store]) > 0 {
			fmt.Fprintf(w, "\nWrites on the embedded database, %s\n\n", store)
			table(w, r.writes[store], Same, NotHere, Wrong)
		}
	}
	for _, outcomes := range [][]Outcome{r.reads, r.embedded["sqlite"], r.embedded["postgres"], r.writes["sqlite"], r.writes["postgres"]} {
		for _, o := range outcomes {
			if o.Verdict == Wrong && show > 0 {
				fmt.Fprintf(w, "%s: %s: %s\n", o.ID, o.Reason, o.Detail)
				show--
			}
		}
	}
}

func printUnproven(w *strings.Builder, r *results) {
	for _, o := range r.reads {
		if o.Verdict == NotProvable {
			fmt.Fprintf(w, "%s: %s: %s\n", o.ID, o.Reason, o.Detail)
		}
	}
}
